import { TbuildError } from "../../cache/errors.js";
import type { RemoteAccess } from "../remote.js";
import type { SourcePolicy } from "./policy.js";

const IMAGE = "docker-image://";

/** Registries of which a frontend hears what a policy makes of its images. Sources of steps are left to `policyApplier`. */
export function policedRemote(remote: RemoteAccess, policy: SourcePolicy | null): RemoteAccess {
  if (policy === null) return remote;
  return {
    ...remote,
    async resolveImage(reference, platform, opts) {
      const { identifier } = await policy({ identifier: `${IMAGE}${reference}`, attrs: {}, platform }, opts);
      if (identifier.startsWith(IMAGE)) return await remote.resolveImage(identifier.slice(IMAGE.length), platform, opts);
      throw new TbuildError("invalid_argument", `Cannot build on "${reference}": the source policy makes it "${identifier}", which is no image`);
    },
  };
}

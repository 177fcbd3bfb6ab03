import { formatReference, parseReference } from "../../cache/oci/reference.js";
import type { Store } from "../../cache/store.js";
import { TbuildError } from "../../cache/errors.js";
import { gitSource } from "../../frontend/dockerfile/gitSource.js";
import { parseGitUrl } from "../../frontend/dockerfile/gitUrl.js";
import type { StepOpts } from "../../solver/opRunner.js";
import { rootDigest } from "../registry/resolve.js";
import type { RemoteAccess } from "../remote.js";
import type { SshAgents } from "../secrets/agents.js";
import type { SecretStore } from "../secrets/secretStore.js";
import { localSource } from "../source/local.js";
import { buildSources } from "../source/mod.js";
import type { SourceRequest } from "../source/source.js";
import type { LockName } from "./lock.js";

/** What names are resolved with. */
export interface PinDeps {
  readonly store: Store;
  readonly remote: RemoteAccess;
  readonly secrets: SecretStore;
  readonly agents: SshAgents;
}

/**
 * What a name stands for now, whatever this machine has of it. A file is downloaded, unless it has not changed since it was.
 * @throws {TbuildError} not_found, unauthorized, unavailable
 */
export async function findPin(deps: PinDeps, name: LockName, opts: StepOpts): Promise<string> {
  if (name.kind === "images") return await imagePin(deps, name.name, opts);
  const request: SourceRequest = { ...(name.kind === "git" ? gitSource(parseGitUrl(name.name)!) : { identifier: name.name, attrs: {} }), platform: null };
  const scheme = /^[a-z]+/.exec(request.identifier)![0];
  const source = buildSources({ ...deps, local: localSource(new Map()) }).find(({ schemes }) => schemes.includes(scheme))!;
  const { meta } = await source.resolve(request, opts);
  if (meta === undefined) throw new Error(`Nobody knows what "${name.name}" is`);
  return meta.kind === "git" ? meta.commit : meta.checksum;
}

async function imagePin({ store, remote }: PinDeps, name: string, opts: StepOpts): Promise<string> {
  const reference = parseReference(name);
  try {
    return await rootDigest(remote.client, store.content, reference, opts);
  } catch (error) {
    if (store.images.get(formatReference(reference)) === null) throw error;
    throw new TbuildError("unsupported", `Cannot lock "${name}": the image store has it, and no registry does`, {
      hint: "Others could not find it: push it to a registry, or name it with --build-context",
      cause: error,
    });
  }
}

import { createWriteStream } from "node:fs";
import { chmod } from "node:fs/promises";
import path from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { digestOf } from "../../../cache/oci/digest.js";
import type { Store } from "../../../cache/store.js";
import { scratchRef } from "../../ops/opDeps.js";
import { snapshotStep } from "../../ops/snapshotStep.js";
import type { Session } from "../../session/session.js";
import { pull, uploadIdOf } from "../../session/upload.js";
import type { Source } from "../../source/source.js";

/** Downloads, of which those from `http://buildkit-session/ID` are what the client was given on its standard input. */
export function uploadSource(store: Store, session: Session, downloads: Source): Source {
  return {
    schemes: downloads.schemes,
    async resolve(request, opts) {
      const id = uploadIdOf(request.identifier);
      if (id === null) return await downloads.resolve(request, opts);
      const file = path.posix.basename(request.attrs["http.filename"] ?? "context");
      return {
        // It can be read once: what asks for it again finds it in the cache.
        pin: digestOf(`tbuild.upload.v1\n${id}\n${file}`),
        attributes: { upload: id },
        snapshot: ({ signal }) =>
          snapshotStep(store, scratchRef, async (root) => {
            const target = path.join(root, file);
            await pipeline(Readable.from(pull(session, id, { signal })), createWriteStream(target, { flags: "wx" }), { signal });
            await chmod(target, 0o600);
          }),
      };
    },
  };
}

import { createHash } from "node:crypto";
import type { JobContext } from "../bulk/jobs.js";
import type { ApplyOutput } from "../bulk/layerJobs.js";
import { finishDigest } from "../oci/digest.js";
import { openDecompressed } from "./decompress.js";

const CHUNK = 1 << 20;

/** Emits the tar of a layer blob, decompressed and not looked into. @throws {TbuildError} corrupt, unsupported */
export function readLayer({ blob }: { readonly blob: string }, ctx: JobContext): ApplyOutput {
  using file = openDecompressed(blob);
  const hash = createHash("sha256");
  let size = 0;
  let chunk = Buffer.allocUnsafeSlow(CHUNK);
  let at = 0;

  function flush(): void {
    const full = chunk.subarray(0, at);
    hash.update(full);
    ctx.tick(at, 0);
    size += at;
    at = 0;
    chunk = Buffer.allocUnsafeSlow(CHUNK);
    if (full.length > 0) ctx.emit(full);
  }

  for (let bytes = file.read(); bytes !== null; bytes = file.read()) {
    for (let done = 0; done < bytes.length; ) {
      if (at === CHUNK) flush();
      const copied = bytes.copy(chunk, at, done);
      done += copied;
      at += copied;
    }
  }
  flush();
  return { diffId: finishDigest(hash), size };
}

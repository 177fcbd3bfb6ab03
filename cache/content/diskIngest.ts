import { createHash } from "node:crypto";
import { rmSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { fromSystemError } from "../errors.js";
import { releaseOwnFile } from "../lockFile.js";
import { finishDigest } from "../oci/digest.js";
import type { Lock } from "../sys/lock.js";
import type { FileContentStore, Ingest } from "./store.js";
import { verifiedDescriptor } from "./verify.js";

/** A write into the fresh file `file`, hashed on the way. Owns `lock`, and lets go of it on commit or disposal. */
export async function diskIngest(file: string, lock: Lock, adopt: FileContentStore["adopt"]): Promise<Ingest> {
  const handle = await openFresh(file, lock);
  const hash = createHash("sha256");
  let size = 0;
  let state: "writing" | "closed" = "writing";

  const close = async () => {
    if (state === "closed") return;
    state = "closed";
    await handle.close();
    rmSync(file, { force: true });
    releaseOwnFile(lock);
  };

  return {
    async write(chunk) {
      hash.update(chunk);
      await writeAll(handle, chunk, file);
      size += chunk.length;
    },
    async commit(expected) {
      const descriptor = verifiedDescriptor(finishDigest(hash), size, expected);
      await adopt(file, descriptor.digest);
      await close();
      return descriptor;
    },
    [Symbol.asyncDispose]: close,
  };
}

async function openFresh(file: string, lock: Lock): Promise<FileHandle> {
  try {
    return await open(file, "wx", 0o600);
  } catch (error) {
    releaseOwnFile(lock);
    throw fromSystemError(error);
  }
}

async function writeAll(handle: FileHandle, chunk: Uint8Array, file: string): Promise<void> {
  try {
    await handle.writeFile(chunk);
  } catch (error) {
    throw fromSystemError(error, file);
  }
}

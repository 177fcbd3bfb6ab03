import { createHash, type Hash } from "node:crypto";
import { createReadStream, rmSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { fromSystemError } from "../errors.js";
import { releaseOwnFile } from "../lockFile.js";
import { finishDigest } from "../oci/digest.js";
import type { Lock } from "../sys/lock.js";
import type { FileContentStore, Ingest } from "./store.js";
import { verifiedDescriptor } from "./verify.js";

/** Whether a write begins with a file of its own, or with what another has left in it. */
export type IngestStart = "fresh" | "resume";

/** A write into `file`, hashed on the way. Owns `lock`, and lets go of it on commit or disposal. */
export async function diskIngest(file: string, lock: Lock, start: IngestStart, adopt: FileContentStore["adopt"]): Promise<Ingest> {
  const handle = await openFile(file, lock, start);
  const hash = createHash("sha256");
  let size = start === "resume" ? await hashFile(file, hash) : 0;
  let state: "writing" | "closed" = "writing";

  const close = async () => {
    if (state === "closed") return;
    state = "closed";
    await handle.close();
    rmSync(file, { force: true });
    releaseOwnFile(lock);
  };

  return {
    get size() {
      return size;
    },
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

/** Feeds what a file holds to `hash`, and returns how many bytes that were. */
async function hashFile(file: string, hash: Hash): Promise<number> {
  let size = 0;
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
    hash.update(chunk);
    size += chunk.length;
  }
  return size;
}

async function openFile(file: string, lock: Lock, start: IngestStart): Promise<FileHandle> {
  try {
    return await open(file, start === "fresh" ? "wx" : "a", 0o600);
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

import { createHash } from "node:crypto";
import fs from "node:fs";
import { finishDigest } from "../oci/digest.js";
import type { DiffOutput } from "../bulk/layerJobs.js";
import { changedWhileReading } from "./errors.js";
import { BLOCK, paddingOf } from "./fields.js";
import { encodeEntry, type TarEntry } from "./header.js";

/** Writes a tar front to back, hashing it on the way. */
export interface TarWriter {
  /** Writes the header of an entry; a file of non-zero size must be followed by its body. */
  writeHeader(entry: TarEntry): void;
  /** Copies exactly `size` bytes from an open file. @throws {TbuildError} corrupt when the file is longer or shorter */
  writeBody(fd: number, entry: TarEntry): void;
  /** Hands out all that was written so far, and ends nothing. */
  flush(): void;
  /** Ends the archive. */
  finish(): DiffOutput;
}

const CHUNK = 1 << 20;

/**
 * `emit` receives every byte in chunks of about 1 MiB that become its own; null only hashes. `onBytes` is told the size of
 * each chunk; what it throws stops the writer.
 */
export function createTarWriter(emit: ((chunk: Uint8Array) => void) | null, onBytes: (bytes: number) => void): TarWriter {
  const hash = createHash("sha256");
  const probe = Buffer.alloc(1);
  let chunk = Buffer.allocUnsafeSlow(CHUNK);
  let at = 0;
  let size = 0;
  let entries = 0;

  function flush(): void {
    const full = chunk.subarray(0, at);
    hash.update(full);
    onBytes(at);
    size += at;
    at = 0;
    if (emit === null || full.length === 0) return;
    chunk = Buffer.allocUnsafeSlow(CHUNK);
    emit(full);
  }

  function write(bytes: Buffer): void {
    for (let done = 0; done < bytes.length; ) {
      if (at === CHUNK) flush();
      const copied = bytes.copy(chunk, at, done);
      done += copied;
      at += copied;
    }
  }

  function writeZeros(length: number): void {
    if (CHUNK - at < length) flush();
    chunk.fill(0, at, at + length);
    at += length;
  }

  function writeBody(fd: number, entry: TarEntry): void {
    let left = entry.size;
    while (left > 0) {
      if (at === CHUNK) flush();
      // One byte more than wanted shows a file that grew without a further call.
      const read = fs.readSync(fd, chunk, at, Math.min(left + 1, CHUNK - at), null);
      if (read === 0 || read > left) throw changedWhileReading(entry.name);
      at += read;
      left -= read;
    }
    if (at === CHUNK && fs.readSync(fd, probe, 0, 1, null) !== 0) throw changedWhileReading(entry.name);
    writeZeros(paddingOf(entry.size));
  }

  return {
    writeHeader(entry) {
      write(encodeEntry(entry));
      entries++;
    },
    writeBody,
    flush,
    finish() {
      writeZeros(2 * BLOCK);
      flush();
      return { diffId: finishDigest(hash), size, entries };
    },
  };
}

import fs from "node:fs";
import { changedWhile } from "../tree/fileError.js";
import { type SourceFile, withSource } from "../tree/readFile.js";
import { chunkLength, MAX_CHUNK, MIN_CHUNK } from "./chunker.js";

// One buffer per thread; jobs are synchronous, so that two never use it at once.
let window = Buffer.allocUnsafeSlow(MIN_CHUNK);

/** Calls `visit` with each chunk of a file, which is valid during the call. @throws {TbuildError} unavailable when it changed meanwhile */
export function fileChunks<T>(file: SourceFile, visit: (chunk: Uint8Array) => T): readonly T[] {
  return withSource(file, "read", (fd) => {
    const size = Number(file.stat.size);
    if (size > window.length) window = Buffer.allocUnsafeSlow(MAX_CHUNK);
    const found: T[] = [];
    let held = 0;
    for (let done = 0; done < size; ) {
      held = fill(fd, file, held, Math.min(window.length, size - done));
      const length = chunkLength(window.subarray(0, held));
      found.push(visit(window.subarray(0, length)));
      window.copyWithin(0, length, held);
      held -= length;
      done += length;
    }
    return found;
  });
}

/** Bytes at one place of a file, valid until the next call of this file's functions. @throws {TbuildError} unavailable when it changed meanwhile */
export function chunkAt(file: SourceFile, offset: number, length: number): Uint8Array {
  return withSource(file, "read", (fd) => {
    if (length > window.length) window = Buffer.allocUnsafeSlow(MAX_CHUNK);
    if (fs.readSync(fd, window, 0, length, offset) < length) throw changedWhile(file.shown, "read");
    return window.subarray(0, length);
  });
}

/** Reads on until the window holds `wanted` bytes, of which it has `held`. */
function fill(fd: number, file: SourceFile, held: number, wanted: number): number {
  for (let have = held; ; ) {
    if (have >= wanted) return have;
    const read = fs.readSync(fd, window, have, wanted - have, null);
    if (read === 0) throw changedWhile(file.shown, "read");
    have += read;
  }
}

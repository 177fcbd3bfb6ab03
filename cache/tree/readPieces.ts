import fs from "node:fs";
import type { JobContext, ReadPiecesInput, ReadPiecesOutput } from "../bulk/jobs.js";
import { readError } from "./fileError.js";
import { joinPath, osPath, toBytes } from "./names.js";

// A file that is none (any more) must neither be followed nor waited for.
const flags = fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK;

/** Reads parts of files of a tree that nobody changes. @throws {TbuildError} unavailable, permission_denied */
export function readPieces({ root, pieces }: ReadPiecesInput, ctx: JobContext): ReadPiecesOutput {
  const content = Buffer.allocUnsafeSlow(pieces.reduce((sum, { length }) => sum + length, 0));
  const lengths: number[] = [];
  let at = 0;
  for (const { path, offset, length } of pieces) {
    const got = read(osPath(joinPath(toBytes(root), path)), path, content.subarray(at, at + length), offset);
    lengths.push(got);
    at += got;
    ctx.tick(got, 1);
  }
  return { content: content.subarray(0, at), lengths };
}

function read(path: string | Buffer, shown: string, into: Buffer, offset: number): number {
  let fd: number | null = null;
  try {
    fd = fs.openSync(path, flags);
    let got = 0;
    for (let last = 1; got < into.length && last > 0; got += last) last = fs.readSync(fd, into, got, into.length - got, offset + got);
    return got;
  } catch (error) {
    throw readError(error, shown, "read");
  } finally {
    if (fd !== null) fs.closeSync(fd);
  }
}

import fs from "node:fs";
import type { JobContext } from "../bulk/jobs.js";
import type { FirstDifference, TarPlace } from "./layerEntry.js";

const CHUNK = 1 << 20;
/** Bytes that are shown before and after the first that differs. */
const AROUND = 16;
const HEAD = 8;

/** Compares two files as far as they are equal; null when they are. Memory does not depend on their sizes. */
export function firstDifference({ a, b }: { readonly a: TarPlace; readonly b: TarPlace }, ctx: JobContext): FirstDifference | null {
  const files = [open(a), open(b)] as const;
  try {
    const at = firstByte(files[0], files[1], ctx);
    if (at === null) return null;
    const start = Math.max(0, at - AROUND);
    const piece = (file: OpenPlace) => Uint8Array.from(read(file, start, Buffer.alloc(at - start + AROUND)));
    return { at, start, a: piece(files[0]), b: piece(files[1]), head: Uint8Array.from(read(files[0], 0, Buffer.alloc(HEAD))) };
  } finally {
    for (const { fd } of files) fs.closeSync(fd);
  }
}

interface OpenPlace extends TarPlace {
  readonly fd: number;
}

function open(place: TarPlace): OpenPlace {
  return { ...place, fd: fs.openSync(place.tar, "r") };
}

function firstByte(a: OpenPlace, b: OpenPlace, ctx: JobContext): number | null {
  const [left, right] = [Buffer.alloc(CHUNK), Buffer.alloc(CHUNK)];
  const common = Math.min(a.size, b.size);
  for (let at = 0; at < common; at += CHUNK) {
    const [x, y] = [read(a, at, left), read(b, at, right)];
    ctx.tick(x.length, 0);
    if (!x.subarray(0, common - at).equals(y.subarray(0, common - at))) return at + x.findIndex((byte, index) => byte !== y[index]);
  }
  return a.size === b.size ? null : common;
}

/** As much of the file as there is from byte `at`. */
function read({ fd, offset, size }: OpenPlace, at: number, into: Buffer): Buffer {
  const wanted = Math.max(0, Math.min(into.length, size - at));
  let done = 0;
  while (done < wanted) {
    const got = fs.readSync(fd, into, done, wanted - done, offset + at + done);
    if (got === 0) break;
    done += got;
  }
  return into.subarray(0, done);
}

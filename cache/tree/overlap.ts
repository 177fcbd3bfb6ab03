import fs, { type BigIntStats } from "node:fs";
import type { Overlap } from "../bulk/exportJobs.js";
import type { JobContext } from "../bulk/jobs.js";
import { readError } from "./fileError.js";
import { joinPath, osPath, toBytes, toText } from "./names.js";
import { lstatOrNull } from "./resolve.js";
import { namesIn, readLink } from "./walk.js";

const CHUNK = 1 << 20;

/**
 * Finds a path at which two of these trees have different files, or one a file and the other a directory; null when one can
 * be put on the other in any order. Times do not count, nor do owners and modes of directories.
 * @throws {TbuildError} unavailable, permission_denied
 */
export function findOverlap({ roots }: { readonly roots: readonly string[] }, ctx: JobContext): Overlap | null {
  for (let second = 1; second < roots.length; second++) {
    for (let first = 0; first < second; first++) {
      const path = differing(toBytes(roots[first]!), toBytes(roots[second]!), "", ctx);
      if (path !== null) return { path: toText(path), first, second };
    }
  }
  return null;
}

function differing(one: string, other: string, dir: string, ctx: JobContext): string | null {
  for (const name of namesIn(other, dir)) {
    const path = joinPath(dir, name);
    const [a, b] = [lstatOrNull(joinPath(one, path)), lstatOrNull(joinPath(other, path))];
    if (a === null || b === null) continue;
    ctx.tick(0, 1);
    const isBelow = a.isDirectory() && b.isDirectory();
    const found = isBelow ? differing(one, other, path, ctx) : isSame({ root: one, path, stat: a }, { root: other, path, stat: b }, ctx) ? null : path;
    if (found !== null) return found;
  }
  return null;
}

interface Found {
  readonly root: string;
  readonly path: string;
  readonly stat: BigIntStats;
}

function isSame(a: Found, b: Found, ctx: JobContext): boolean {
  const own = ({ stat }: Found) => [stat.mode, stat.uid, stat.gid, stat.isDirectory() ? 0n : stat.size, stat.rdev].join(" ");
  if (own(a) !== own(b)) return false;
  if (a.stat.isSymbolicLink()) return linkOf(a) === linkOf(b);
  return !a.stat.isFile() || sameBytes(a, b, ctx);
}

function linkOf({ root, path }: Found): string {
  return readLink(joinPath(root, path), path, "read");
}

function sameBytes(a: Found, b: Found, ctx: JobContext): boolean {
  const files = [a, b].map(open);
  try {
    const [left, right] = [Buffer.allocUnsafe(CHUNK), Buffer.allocUnsafe(CHUNK)];
    for (;;) {
      const read = fs.readSync(files[0]!, left, 0, CHUNK, null);
      const same = fs.readSync(files[1]!, right, 0, CHUNK, null) === read && left.subarray(0, read).equals(right.subarray(0, read));
      if (!same || read === 0) return same;
      ctx.tick(read, 0);
    }
  } finally {
    files.forEach((fd) => fs.closeSync(fd));
  }
}

function open({ root, path }: Found): number {
  try {
    return fs.openSync(osPath(joinPath(root, path)), fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW);
  } catch (error) {
    throw readError(error, path, "read");
  }
}

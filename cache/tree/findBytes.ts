import fs from "node:fs";
import type { FoundBytes } from "../bulk/hashJobs.js";
import type { JobContext } from "../bulk/jobs.js";
import { joinPath, osPath, toBytes, toText } from "./names.js";

const CHUNK = 1 << 20;

/**
 * Looks for each of `patterns`, none of them empty, in the regular files below `path`. A pattern is told of once a file,
 * wherever it stands in it.
 */
export function findBytes({ path, patterns }: { readonly path: string; readonly patterns: readonly Uint8Array[] }, ctx: JobContext): readonly FoundBytes[] {
  const wanted = patterns.map((pattern) => Buffer.from(pattern));
  const buffer = Buffer.allocUnsafe(CHUNK + Math.max(0, ...wanted.map(({ length }) => length)));
  const root = toBytes(path);
  const found: FoundBytes[] = [];
  const todo = [""];
  for (let dir = todo.pop(); dir !== undefined; dir = todo.pop()) {
    for (const entry of fs.readdirSync(osPath(joinPath(root, dir)), { encoding: "latin1", withFileTypes: true })) {
      const inner = joinPath(dir, entry.name);
      if (entry.isDirectory()) todo.push(inner);
      if (!entry.isFile()) continue;
      for (const pattern of matches(joinPath(root, inner), wanted, buffer, ctx)) found.push({ path: toText(inner), pattern });
    }
  }
  return found;
}

/** Indexes of the patterns in the file. Between two reads, as much is kept as a pattern can stand across. */
function matches(file: string, wanted: readonly Buffer[], buffer: Buffer, ctx: JobContext): ReadonlySet<number> {
  const found = new Set<number>();
  const kept = buffer.length - CHUNK;
  const fd = fs.openSync(osPath(file), fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NOATIME);
  try {
    let held = 0;
    for (let read = -1; read !== 0 && found.size < wanted.length; ) {
      read = fs.readSync(fd, buffer, held, CHUNK, null);
      const data = buffer.subarray(0, held + read);
      wanted.forEach((pattern, index) => data.includes(pattern) && found.add(index));
      held = Math.min(data.length, kept);
      buffer.copyWithin(0, data.length - held, data.length);
      ctx.tick(read, 0);
    }
  } finally {
    fs.closeSync(fd);
  }
  ctx.tick(0, 1);
  return found;
}

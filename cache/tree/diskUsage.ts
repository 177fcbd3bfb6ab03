import fs from "node:fs";
import type { JobContext } from "../bulk/jobs.js";
import { inodeOf } from "./copyFile.js";
import { errnoOf } from "./fileError.js";
import { joinPath, osPath, toBytes } from "./names.js";
import { lstatOrNull } from "./resolve.js";

/**
 * Bytes on disk (allocated blocks) and inodes of a tree, hard links once. What vanishes meanwhile is not counted; an
 * absent path is 0.
 */
export function diskUsage(input: { readonly path: string }, ctx: JobContext): { bytes: number; inodes: number } {
  const seen = new Set<string>();
  const total = { bytes: 0, inodes: 0 };
  const todo = [toBytes(input.path)];
  for (let path = todo.pop(); path !== undefined; path = todo.pop()) {
    const stat = lstatOrNull(path);
    if (stat === null) continue;
    if (stat.isDirectory()) for (const name of namesOrNone(path)) todo.push(joinPath(path, name));
    else if (stat.nlink > 1n) {
      if (seen.has(inodeOf(stat))) continue;
      seen.add(inodeOf(stat));
    }
    total.bytes += Number(stat.blocks) * 512;
    total.inodes++;
    ctx.tick(0, 1);
  }
  return total;
}

/** {@link diskUsage} of many trees, in bytes. A hard link counts in each of them. */
export function diskUsages(input: { readonly paths: readonly string[] }, ctx: JobContext): readonly number[] {
  return input.paths.map((path) => diskUsage({ path }, ctx).bytes);
}

function namesOrNone(dir: string): string[] {
  try {
    return fs.readdirSync(osPath(dir), "latin1");
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return [];
    throw error;
  }
}

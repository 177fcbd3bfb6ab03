import fs from "node:fs";
import type { MirrorInput } from "../bulk/exportJobs.js";
import type { JobContext } from "../bulk/jobs.js";
import { fromSystemError } from "../errors.js";
import { joinPath, osPath, toBytes } from "./names.js";
import { removePath } from "./removeTree.js";
import { lstatOrNull } from "./resolve.js";
import { namesIn } from "./walk.js";

/**
 * Removes from a directory of the user's what none of `trees` has, and what stands in the way of theirs because one is a
 * directory and the other is not. Links are removed, never followed. A directory that is not there is a success.
 * @throws {TbuildError} permission_denied, unavailable
 */
export function mirror({ path, trees }: MirrorInput, ctx: JobContext): null {
  const onRemoved = (): void => ctx.tick(0, 1);
  try {
    const target = toBytes(path);
    if (!fs.existsSync(osPath(target))) return null;
    const real = fs.realpathSync(osPath(target), "latin1");
    const nested = new Map(trees.flatMap(({ root, under }) => (under === "" ? [] : [[toBytes(under), toBytes(root)]])));
    const merged = trees.flatMap(({ root, under }) => (under === "" ? [toBytes(root)] : []));
    removeOthers(real, merged, nested, onRemoved);
  } catch (error) {
    throw fromSystemError(error, path);
  }
  return null;
}

/** `sources` are directories for the same place as `dir`; `nested` those for a place right below it, by name. */
function removeOthers(dir: string, sources: readonly string[], nested: ReadonlyMap<string, string>, onRemoved: () => void): void {
  for (const name of namesIn(dir, "")) {
    const own = nested.get(name);
    const wanted = [...sources.map((source) => joinPath(source, name)), ...(own === undefined ? [] : [own])]
      .map((at) => ({ at, isDirectory: lstatOrNull(at)?.isDirectory() ?? null }))
      .filter(({ isDirectory }) => isDirectory !== null);
    const at = joinPath(dir, name);
    const isDirectory = lstatOrNull(at)?.isDirectory() === true;
    const below = wanted.filter((one) => one.isDirectory === true).map((one) => one.at);
    if (isDirectory && below.length > 0) removeOthers(at, below, new Map(), onRemoved);
    else if (isDirectory || below.length > 0 || wanted.length === 0) removePath(at, onRemoved);
  }
}

import { readdirSync, statSync } from "node:fs";
import path from "node:path";
import { isArchive } from "../../cache/tree/unpack.js";
import type { Output } from "../../solver/llb/state.js";
import type { ReadTree } from "../ops/trees.js";
import { unpackStep } from "./steps.js";

/** Runs the steps of a tree and opens what they came to. */
export type OpenOutput = (tree: Output) => Promise<ReadTree>;

/**
 * When what a source step fetches was made, in seconds since the epoch: the time of a repository's commit; what the server says
 * of a download, else that of the latest file in the archive that it is; null for a download without either.
 */
export async function sourceTime(source: Output, open: OpenOutput): Promise<number | null> {
  const { body } = source.node;
  if (body.kind !== "source" || !/^https?:/.test(body.identifier)) return await inTree(source, open, (root) => seconds(root));
  const file = await inTree(source, open, oneFile);
  if (file.time !== 0 || !file.isArchive) return file.time === 0 ? null : file.time;
  return await inTree(unpackStep(source, file.name), open, latestIn);
}

async function inTree<T>(tree: Output, open: OpenOutput, read: (root: string) => T): Promise<T> {
  await using opened = await open(tree);
  return read(opened.path);
}

function oneFile(root: string) {
  const name = readdirSync(root)[0]!;
  const file = path.join(root, name);
  return { name, time: seconds(file), isArchive: isArchive(file) };
}

/** Null without any file. */
function latestIn(root: string): number | null {
  const files = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const times = files.map((entry) => seconds(path.join(entry.parentPath, entry.name)));
  return times.length === 0 ? null : times.reduce((a, b) => Math.max(a, b));
}

function seconds(file: string): number {
  return Math.floor(statSync(file).mtimeMs / 1000);
}

import { mkdirSync } from "node:fs";
import path from "node:path";
import type { Ref } from "../../cache/ref.js";
import { mountTree } from "../../cache/snapshot/mountTree.js";
import type { Store } from "../../cache/store.js";
import type { IgnoreRules } from "../../cache/tree/patterns.js";

/** A tree that can be read while it is not disposed. */
export interface ReadTree extends AsyncDisposable {
  readonly path: string;
  readonly ignore: IgnoreRules;
  /** True for a directory of the user's, whose owners do not count. */
  readonly local: boolean;
}

/** Opens the content of a ref for reading; `at` is an empty directory to mount it at, for a container. */
export async function openTree(store: Store, ref: Ref, at?: string): Promise<ReadTree> {
  if (ref.kind === "directory") return inPlace(ref.path, ref.ignore, true);
  if (ref.name === null) return inPlace(emptyDirectory(store), [], false);
  const tree = await mountTree(await store.snapshots.view(ref.name), at);
  return { path: tree.path, ignore: [], local: false, [Symbol.asyncDispose]: () => tree[Symbol.asyncDispose]() };
}

function inPlace(dir: string, ignore: IgnoreRules, local: boolean): ReadTree {
  return { path: dir, ignore, local, [Symbol.asyncDispose]: async () => {} };
}

function emptyDirectory(store: Store): string {
  const dir = path.join(store.scratch, "empty");
  mkdirSync(dir, { recursive: true });
  return dir;
}

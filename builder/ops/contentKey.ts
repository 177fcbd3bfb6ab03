import path from "node:path";
import type { Selection } from "../../cache/bulk/hashJobs.js";
import { digestOf, parseDigest } from "../../cache/oci/digest.js";
import type { Ref } from "../../cache/ref.js";
import type { Store } from "../../cache/store.js";
import type { ContentKey, InputKey, StepOpts } from "../../solver/opRunner.js";
import { hashGathered, isSmallFile } from "./gatheredHashes.js";
import { openTree } from "./trees.js";

/** Up to this many files of a content key are kept by name, to explain a later miss. */
const MAX_LISTED = 500;

/** An input whose identity is its definition: the file system that a step works on. */
export function wholeInput(store: Store): InputKey<Ref> {
  return { selector: null, byContent: false, content: (ref, opts) => contentKey(store, ref, [everything], opts) };
}

/** An input of which only these parts are read, so that equal bytes are an equal step. */
export function selectedInput(store: Store, selections: readonly Selection[]): InputKey<Ref> {
  const selector = JSON.stringify(selections);
  return { selector, byContent: true, content: (ref, opts) => contentKey(store, ref, selections, opts) };
}

const everything: Selection = {
  path: "/",
  wildcard: false,
  followSymlink: false,
  dirContents: true,
  include: [],
  exclude: [],
  allowEmpty: true,
};

/** Snapshots never change: what was once computed of one is remembered. */
async function contentKey(store: Store, ref: Ref, selections: readonly Selection[], opts: StepOpts): Promise<ContentKey> {
  if (ref.kind !== "snapshot") return await hashSelections(store, ref, selections, opts);
  const key = `${ref.name ?? ""}\0${digestOf(JSON.stringify(selections))}`;
  const known = store.meta.contentKeys.get(key);
  if (known !== undefined) return { digest: parseDigest(known) };
  const computed = await hashSelections(store, ref, selections, opts);
  await store.meta.contentKeys.put(key, computed.digest);
  return computed;
}

async function hashSelections(store: Store, ref: Ref, selections: readonly Selection[], opts: StepOpts): Promise<ContentKey> {
  await using tree = await openTree(store, ref);
  const input = {
    root: tree.path,
    ignore: tree.ignore,
    selections,
    ignoreOwners: tree.local,
    hashCache: tree.local ? path.join(store.root, "filehash.lmdb") : null,
    maxFiles: MAX_LISTED,
  };
  const output = tree.local && isSmallFile(tree.path, selections) ? await hashGathered(store.bulk, ref, input, opts) : await store.bulk.run("hashTree", input, opts);
  return { digest: output.digest, ...(output.listing === null ? {} : { files: output.listing }) };
}

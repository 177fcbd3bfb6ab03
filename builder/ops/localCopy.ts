import type { CopyAction } from "../../cache/bulk/actionJobs.js";
import type { Ref } from "../../cache/ref.js";
import type { Store } from "../../cache/store.js";
import type { StepOpts } from "../../solver/opRunner.js";
import { scratchRef, type SnapshotRef } from "./opDeps.js";
import { snapshotStep } from "./snapshotStep.js";

/** A result as a snapshot: a directory that is read in place is copied, as root's. */
export async function asSnapshot(store: Store, ref: Ref, { signal }: Pick<StepOpts, "signal">): Promise<SnapshotRef> {
  if (ref.kind === "snapshot") return ref;
  const everything = { path: "/", wildcard: false, followSymlink: false, dirContents: true, include: [], exclude: [], allowEmpty: true };
  const action: CopyAction = {
    kind: "copy",
    sourceRoot: ref.path,
    ignore: ref.ignore,
    selection: everything,
    dest: "/",
    owner: { uid: 0, gid: 0 },
    archiveOwner: null,
    mode: null,
    modeText: null,
    createDestPath: false,
    unpack: false,
    replaceExisting: false,
    mtime: null,
  };
  return await snapshotStep(store, scratchRef, async (root) => void (await store.bulk.run("fileActions", { root, actions: [action] }, { signal })));
}

import { copyTree } from "./copyTree.js";
import { createDirs, fsDir, removeSnapshot } from "./directories.js";
import type { SnapshotterOptions } from "./directories.js";
import { committed, commitRecord, declareRecord, existing, reserve, snapshotInfo, walkRecords } from "./records.js";
import type { Snapshotter } from "./snapshotter.js";

/**
 * Snapshots as whole plain directories: a child starts as a copy of its parent. Slow and large, but it needs nothing of
 * the kernel.
 */
export function copySnapshotter(options: SnapshotterOptions): Snapshotter {
  const { root, meta, lease } = options;
  const tree = (name: string) => fsDir(root, committed(meta.snapshots, name).id);
  const copy = options.copyTree ?? (async (from: string, to: string) => copyTree(from, to));
  const remove = (name: string) => removeSnapshot(options, name);
  return {
    async prepare(key, parent) {
      const { id } = await reserve(meta, key, parent, lease);
      try {
        createDirs(root, id, ["fs"]);
        if (parent !== null) await copy(tree(parent), fsDir(root, id));
      } catch (error) {
        await remove(key);
        throw error;
      }
      return { type: "bind", source: fsDir(root, id), readonly: false };
    },
    view: async (name) => ({ type: "bind", source: tree(name), readonly: true }),
    lazy: false,
    declare: (name, parent) => declareRecord(meta, name, parent),
    // Whole trees are compared: what was put on what makes no difference here.
    commit: async (name, key) => void (await commitRecord(meta, name, key)),
    stat: async (name) => snapshotInfo(name, existing(meta.snapshots, name)),
    remove,
    walk: () => walkRecords(meta),
    async changes(name) {
      const { id, parent } = existing(meta.snapshots, name);
      return { kind: "trees", lower: parent === null ? null : tree(parent), upper: fsDir(root, id) };
    },
  };
}

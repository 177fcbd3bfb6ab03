import { randomUUID } from "node:crypto";
import fs from "node:fs";
import { hasCode } from "../errors.js";
import { copyTree } from "./copyTree.js";
import { changesDir, createDirs, fsDir, removeSnapshot, workDir } from "./directories.js";
import type { SnapshotterOptions } from "./directories.js";
import { mountTree } from "./mountTree.js";
import { chainOf, commitRecord, declareRecord, existing, flatName, putOnParent, reserve, snapshotInfo, walkRecords } from "./records.js";
import type { Mount, Snapshotter } from "./snapshotter.js";

/** Options of {@link overlaySnapshotter}. */
export interface OverlayOptions extends SnapshotterOptions {
  /** Longest chain that is mounted as it is; below the kernel's 500. Default 480. */
  readonly maxLayers?: number | undefined;
}

/**
 * Snapshots as overlayfs layers: `<root>/<id>/fs` holds what a snapshot changes, `<root>/<id>/work` belongs to overlayfs
 * while the snapshot is active. `<root>/<id>/changes` is there for one whose changes are more than can be seen of them. A snapshot on a chain of `maxLayers` is based on a merged copy of the chain, made once.
 */
export function overlaySnapshotter(options: OverlayOptions): Snapshotter {
  const { root, meta, lease } = options;
  const chain = (name: string | null) => chainOf(meta.snapshots, name);
  const remove = (name: string) => removeSnapshot(options, name);
  const isHere = (name: string) => existing(meta.snapshots, name).absent !== true;
  const shorten = async (parent: string) => {
    if (chain(parent).length >= (options.maxLayers ?? 480)) await flatten(options, parent);
  };
  return {
    lazy: true,
    async prepare(key, parent) {
      if (parent !== null) await shorten(parent);
      const { id } = await reserve(meta, key, parent, lease);
      try {
        const lower = chain(parent);
        createDirs(root, id, ["fs", "work"]);
        if (parent !== null && isHere(parent)) inheritRoot(fsDir(root, lower[0]!), fsDir(root, id));
        return overlayMounts(root, lower, id);
      } catch (error) {
        await remove(key);
        throw error;
      }
    },
    view: async (name) => overlayMounts(root, chain(name), null),
    declare: (name, parent) => declareRecord(meta, name, parent),
    async commit(name, key, commitOptions) {
      const { id } = await commitRecord(meta, name, key, commitOptions);
      await options.removeTree(workDir(root, id));
    },
    async stack(key, parent, attributes) {
      await shorten(parent);
      const { id } = await putOnParent(meta, key, parent);
      const lower = chain(parent);
      if (attributes === "inherited") inheritRoot(fsDir(root, lower[0]!), fsDir(root, id));
      return overlayMounts(root, lower, id);
    },
    stat: async (name) => snapshotInfo(name, existing(meta.snapshots, name)),
    remove,
    walk: () => walkRecords(meta),
    changesDir: (key) => changesDir(root, existing(meta.snapshots, key).id),
    async changes(name) {
      const { id, parent, standalone = false } = existing(meta.snapshots, name);
      const below = standalone ? [] : chain(parent);
      const apart = changesDir(root, id);
      if (fs.existsSync(apart)) return { kind: "upper", path: apart, lower: [], apart: true };
      return { kind: "upper", path: fsDir(root, id), lower: below.map((layer) => fsDir(root, layer)) };
    },
  };
}

/**
 * How to mount a chain of layer IDs (topmost first) under a writable layer, or read-only without one. A single directory
 * is a bind: overlayfs would refuse or only repeat it.
 */
export function overlayMounts(root: string, chain: readonly string[], active: string | null): Mount {
  const lower = chain.map((id) => fsDir(root, id));
  const [top] = lower;
  if (active !== null && top === undefined) return { type: "bind", source: fsDir(root, active), readonly: false };
  if (active !== null) return { type: "overlay", lower, upper: fsDir(root, active), work: workDir(root, active) };
  if (top !== undefined && lower.length === 1) return { type: "bind", source: top, readonly: true };
  return { type: "overlay", lower };
}

// The attributes of an overlay's root are those of its topmost directory.
function inheritRoot(parent: string, child: string): void {
  const { uid, gid, mode, atime, mtime } = fs.statSync(parent);
  fs.chownSync(child, uid, gid);
  fs.chmodSync(child, mode & 0o7777);
  fs.utimesSync(child, atime, mtime);
}

// Two processes may do this at once; the second throws its copy away.
async function flatten(options: OverlayOptions, name: string): Promise<void> {
  const { root, meta, lease } = options;
  const key = `merging:${randomUUID()}`;
  const { id } = await reserve(meta, key, null, lease);
  try {
    createDirs(root, id, ["fs"]);
    await using tree = await mountTree(overlayMounts(root, chainOf(meta.snapshots, name), null));
    await copy(options, tree.path, fsDir(root, id));
    await commitRecord(meta, flatName(name), key);
  } catch (error) {
    await removeSnapshot(options, key);
    if (!hasCode(error, "already_exists")) throw error;
  }
}

async function copy(options: OverlayOptions, from: string, to: string): Promise<void> {
  if (options.copyTree === undefined) copyTree(from, to);
  else await options.copyTree(from, to);
}

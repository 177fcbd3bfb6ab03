/**
 * How to see a snapshot. A `bind` of a plain directory can be used in place; an `overlay` must be mounted
 * (see mount.ts). `lower` is topmost first, as overlayfs wants it. Read-only when there is no `upper`.
 */
export type Mount =
  | { readonly type: "bind"; readonly source: string; readonly readonly: boolean }
  | { readonly type: "overlay"; readonly lower: readonly string[]; readonly upper?: string; readonly work?: string };

/** `active` can be written, `view` is read-only and temporary, `committed` is immutable and can be a parent. */
export type SnapshotKind = "active" | "view" | "committed";

/** What is known of a snapshot. */
export interface SnapshotInfo {
  /** Key of an active snapshot or view, name of a committed one. */
  readonly name: string;
  readonly kind: SnapshotKind;
  readonly parent: string | null;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  /** Bytes of this snapshot's own changes (disk usage, hard links counted once); null until measured. */
  readonly size: number | null;
  /** False for one that is only declared: its files are not here. */
  readonly here: boolean;
}

/** Options of {@link Snapshotter.commit}. */
export interface CommitOptions {
  /** Its changes stay what they are whatever they are put on, so that they are told without a look at what is below. */
  readonly standalone?: boolean;
}

/**
 * Layered root file systems. A snapshot is a transaction: prepare, mount and write, commit.
 *
 * ```ts
 * const mount = await snapshots.prepare("tmp-1", "sha256:base…");
 * { await using root = await mountTree(mount); writeFileSync(`${root.path}/hello`, "hi"); }   // unmounted before commit
 * await snapshots.commit("layer-2", "tmp-1");
 * ```
 *
 * Two processes may share one root. Active snapshots belong to the lease of the process that prepared them.
 */
export interface Snapshotter {
  /**
   * Starts a writable snapshot on a committed parent (null: empty). On one whose files are not all here it cannot be mounted,
   * but what goes into its upper directory can be written. @throws {TbuildError} already_exists, not_found
   */
  prepare(key: string, parent: string | null): Promise<Mount>;
  /** A read-only mount of a committed snapshot; nothing to remove afterwards. @throws {TbuildError} not_found */
  view(name: string): Promise<Mount>;
  /**
   * Makes `key` immutable under `name`, which may have been declared before.
   * @throws {TbuildError} already_exists when `name` is committed, not_found
   */
  commit(name: string, key: string, options?: CommitOptions): Promise<void>;
  /**
   * Says that there is a committed snapshot `name` on `parent`, whose files can be brought here when somebody reads them. One
   * that is here or declared stays as it is. @throws {TbuildError} not_found
   */
  declare(name: string, parent: string | null): Promise<void>;
  /** True when snapshots can be put on others whose files are not here, as long as nobody mounts them. */
  readonly lazy: boolean;
  /**
   * Puts an active snapshot that was prepared on nothing onto a committed parent: what it holds so far is what it changes.
   * Its root keeps the attributes it has ("own"), or takes the parent's. Absent where a snapshot is more than its changes.
   * @throws {TbuildError} not_found
   */
  readonly stack?: (key: string, parent: string, root: "own" | "inherited") => Promise<Mount>;
  /**
   * Directory to be made for an active snapshot that takes away more than is below it: it then says what the snapshot changes,
   * in overlayfs form, instead of the files that are shown. Absent where changes are told by comparing.
   */
  readonly changesDir?: (key: string) => string;
  /** @throws {TbuildError} not_found */
  stat(name: string): Promise<SnapshotInfo>;
  /** Removes a snapshot. Absent is a success. @throws {TbuildError} unavailable while another snapshot has it as parent */
  remove(name: string): Promise<void>;
  walk(): AsyncIterable<SnapshotInfo>;
  /**
   * How a layer diff can be read: `upper` is a directory that holds just this snapshot's changes in overlayfs form
   * (whiteout devices, opaque xattrs) on top of `lower` in the same form, topmost first; `apart` says that it is not what is shown; `trees` are two whole trees to compare (lower null: empty).
   * @throws {TbuildError} not_found
   */
  changes(name: string): Promise<ChangeSource>;
}

/** See {@link Snapshotter.changes}. */
export type ChangeSource =
  | { readonly kind: "upper"; readonly path: string; readonly lower: readonly string[]; readonly apart?: true }
  | { readonly kind: "trees"; readonly lower: string | null; readonly upper: string };

import type { ChangeSource } from "../snapshot/snapshotter.js";
import type { TocEntry } from "../diff/estargz/toc.js";
import type { FirstDifference, LayerEntry, TarPlace } from "../diff/layerEntry.js";
import type { WireError } from "../errors.js";
import type { Digest } from "../oci/digest.js";
import type { IgnoreRules } from "../tree/patterns.js";
import type { ExportTreeInput, MirrorInput, Overlap } from "./exportJobs.js";
import type { PackMountInput, PackMountOutput, UnpackMountInput, UnpackMountOutput } from "./mountJobs.js";
import type { ListedFile, ListTreeInput, TreeWrite } from "./treeEntries.js";

/**
 * Every bulk job by name: input and output are plain data that crosses to a worker thread. A job is synchronous code
 * that calls `ctx.tick()` regularly, so that it can be cancelled and its progress seen.
 * The implementations are registered in worker.ts; each lives beside the code of its subject.
 */
export interface BulkJobs {
  /** Unpacks a layer blob into a mounted tree; see diff/apply.ts. */
  applyLayer: { input: ApplyInput; output: ApplyOutput };
  /** Unpacks a layer into an empty directory that is to be put over the layers below; null: it needs them. See diff/apply.ts. */
  applyApart: { input: ApplyInput; output: ApartOutput | null };
  /** Removes what such a layer hides, once they are there; see diff/hideBelow.ts. */
  hideBelow: { input: HideInput; output: null };
  /** Writes the tar of a snapshot's changes (or only hashes it); see diff/compare.ts. */
  diffLayer: { input: DiffInput; output: DiffOutput };
  /** Emits the tar of a layer blob; see diff/readLayer.ts. */
  readLayer: { input: { readonly blob: string }; output: ApplyOutput };
  /** Table of contents of a layer's tar for eStargz; see diff/estargz/indexTar.ts. */
  indexTar: { input: { readonly tar: string }; output: readonly TocEntry[] };
  /** What is in the tar of a layer; see diff/layerEntries.ts. */
  layerEntries: { input: { readonly tar: string }; output: readonly LayerEntry[] };
  /** Where two files in tars begin to differ; see diff/firstDifference.ts. */
  firstDifference: { input: { readonly a: TarPlace; readonly b: TarPlace }; output: FirstDifference | null };
  /** Content checksum of selected files of a tree; see tree/hashTree.ts. */
  hashTree: { input: HashTreeInput; output: HashTreeOutput };
  /** The same for several groups of selections of one tree. */
  hashTrees: { input: HashTreesInput; output: readonly HashOutcome[] };
  /** Runs copy, mkdir, mkfile, rm and symlink actions on a mounted tree; see tree/actions.ts. */
  fileActions: { input: FileActionsInput; output: FileActionsOutput };
  /** Deletes a directory tree, however deep and whatever its modes. */
  removeTree: { input: { path: string }; output: null };
  /** Bytes on disk below a directory (st_blocks, hard links once). */
  diskUsage: { input: { path: string }; output: { bytes: number; inodes: number } };
  /** Copies a whole tree to a directory of the user's, or packs it into a tar file; see tree/exportTree.ts. */
  exportTree: { input: ExportTreeInput; output: { files: number; bytes: number } };
  /** Where two trees cannot both be put in one place; see tree/overlap.ts. */
  findOverlap: { input: { roots: readonly string[] }; output: Overlap | null };
  /** Removes from a directory of the user's what some trees do not have; see tree/mirror.ts. */
  mirror: { input: MirrorInput; output: null };
  /** Copies a tree with all attributes into an empty directory; see snapshot/copyTree.ts. */
  copyTree: { input: { from: string; to: string }; output: null };
  /** The same with hard links to the files of `from`, which must never change again; see snapshot/copyTree.ts. */
  linkTree: { input: { from: string; to: string }; output: null };
  /** What an overlay's upper directory says of each path; see tree/changedPaths.ts. */
  changedPaths: { input: { path: string }; output: readonly ChangedPath[] };
  /** What is in a tree; see tree/listTree.ts. */
  listTree: { input: ListTreeInput; output: readonly ListedFile[] };
  /** SHA-256 of the regular files of a tree; see tree/fileDigests.ts. */
  fileDigests: { input: { path: string }; output: readonly FileDigest[] };
  /** Bytes of some files of a tree; see tree/readPieces.ts. */
  readPieces: { input: ReadPiecesInput; output: ReadPiecesOutput };
  /** Writes files of a client below a directory that nobody else writes to; see tree/writeTree.ts. */
  writeTree: { input: WriteTreeInput; output: null };
  /** Which regular files of a tree contain which byte strings; see tree/findBytes.ts. */
  findBytes: { input: { path: string; patterns: readonly Uint8Array[] }; output: readonly FoundBytes[] };
  /** Puts a cache mount into packs; see mountPack/packMount.ts. */
  packMount: { input: PackMountInput; output: PackMountOutput };
  /** Makes the files of a cache mount out of packs; see mountPack/unpackMount.ts. */
  unpackMount: { input: UnpackMountInput; output: UnpackMountOutput };
}

/** Shared with the thread that asked: see pool.ts. */
export interface JobContext {
  /** Adds to the progress counters; throws `cancelled` when the caller has given up. */
  tick(bytes: number, files: number): void;
  /** Sends bulk bytes to the asking thread in order, waiting while it is behind. Ownership of the chunk passes. */
  emit(chunk: Uint8Array): void;
}

/** Compression of a layer blob or an archive. */
export type Compression = "none" | "gzip" | "zstd" | "bzip2" | "xz";

/** A path that a snapshot changes, relative to its root, as text. */
export interface ChangedPath {
  readonly path: string;
  /** "gone": what was below is deleted; "opaque": a directory that hides what was below. */
  readonly kind: "file" | "directory" | "opaque" | "gone";
  /** Bytes of a regular file; else 0. */
  readonly size: number;
}

/** A regular file, and what it holds. */
export interface FileDigest {
  /** Relative to the tree's root, as text. */
  readonly path: string;
  /** Hex. */
  readonly sha256: string;
}

/** A file that contains a pattern. */
export interface FoundBytes {
  /** Relative to the tree's root, as text. */
  readonly path: string;
  /** Index in `patterns`. */
  readonly pattern: number;
}

/** A layer to unpack. */
export interface ApplyInput {
  /** File of the blob. */
  readonly blob: string;
  /** Root of a mounted, writable tree (parents' content visible, so that whiteouts can be honoured). */
  readonly root: string;
  /** Refuse to write more than this many bytes. */
  readonly maxBytes: number;
}

/** What the layer was. */
export interface ApplyOutput {
  readonly diffId: Digest;
  /** Bytes of the uncompressed tar. */
  readonly size: number;
}

/** What a layer was that was unpacked apart from those below it. */
export interface ApartOutput extends ApplyOutput {
  /** Whether the layer says what its root's attributes are. */
  readonly root: "own" | "inherited";
  /** What it takes away of the layers below. */
  readonly hidden: readonly HiddenPath[];
}

/** A real path (latin1, relative to the root) of which the layers below show nothing: neither itself, or none of its entries. */
export interface HiddenPath {
  readonly path: string;
  readonly what: "itself" | "entries";
}

/** A layer that lies over those below it now. */
export interface HideInput {
  /** Root of the mounted, writable tree of all of them. */
  readonly root: string;
  /** Directory of what the layer itself brought. */
  readonly own: string;
  readonly hidden: readonly HiddenPath[];
}

/** What the entries of a layer look like: those for Windows are below "Files", with security descriptors. */
export type LayerForm = "linux" | "windows";

/** Changes to write as a layer. */
export interface DiffInput {
  readonly source: ChangeSource;
  /** True: the tar's bytes are also emitted (see JobContext.emit). */
  readonly emit: boolean;
  /** Clamp every entry's mtime to this many seconds since the epoch; null keeps them. */
  readonly clampMtime: number | null;
  /** Default "linux". */
  readonly form?: LayerForm | undefined;
}

/** The layer that was written. */
export interface DiffOutput {
  readonly diffId: Digest;
  readonly size: number;
  /** Entries in the tar; 0 means an empty layer. */
  readonly entries: number;
}

/** Which part of a tree a step reads. Mirrors the fields of pb.FileActionCopy. */
export interface Selection {
  /** Path below the root, "/"-separated, may hold wildcards when `wildcard`. */
  readonly path: string;
  readonly wildcard: boolean;
  /** Follow a symlink that is the path's last component. */
  readonly followSymlink: boolean;
  /** Copying the directory's content does not copy (or hash) the directory's own name. */
  readonly dirContents: boolean;
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  /** Matching nothing is fine. */
  readonly allowEmpty: boolean;
}

/** Files to compute a content key of. */
export interface HashTreeInput {
  readonly root: string;
  readonly ignore: IgnoreRules;
  readonly selections: readonly Selection[];
  /** True for a local context: owners are not part of the key (they are reset to 0:0 when copied). */
  readonly ignoreOwners: boolean;
  /** Path of the metadata database where file hashes by identity are remembered; null: hash every file. */
  readonly hashCache: string | null;
  /** Return up to this many path → digest pairs for key parts. */
  readonly maxFiles: number;
}

/** A content key, and what it took. */
export interface HashTreeOutput {
  readonly digest: Digest;
  readonly files: number;
  readonly bytes: number;
  /** Bytes that really had to be read (not known by identity). */
  readonly bytesRead: number;
  /** Null when there were more than maxFiles. */
  readonly listing: Readonly<Record<string, string>> | null;
}

/** Files to compute several content keys of. */
export interface HashTreesInput extends Omit<HashTreeInput, "selections"> {
  readonly groups: readonly (readonly Selection[])[];
}

/** What became of one group. */
export type HashOutcome = { readonly output: HashTreeOutput } | { readonly error: WireError };

/** Owner of what an action creates; null keeps the source's owner. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** Copies files of one tree into another; `dest` says where. */
export interface CopyAction {
  readonly kind: "copy";
  /** Root of the tree to read. */
  readonly sourceRoot: string;
  readonly ignore: IgnoreRules;
  readonly selection: Selection;
  /** Absolute path in the target tree; a trailing "/" says directory. Symlinks are resolved inside the target. */
  readonly dest: string;
  readonly owner: Owner | null;
  /** Octal mode for every file and directory, or null to keep. */
  readonly mode: number | null;
  /** Symbolic mode ("u=rwX,go=rX"), or null. */
  readonly modeText: string | null;
  readonly createDestPath: boolean;
  /** Unpack local tar archives (sniffed by content) at dest instead of copying them. */
  readonly unpack: boolean;
  /** Owner of what an unpacked archive holds; null keeps the archive's. */
  readonly archiveOwner: Owner | null;
  readonly replaceExisting: boolean;
  /** mtime in seconds for everything written; null keeps the source's. */
  readonly mtime: number | null;
}

/** Makes a directory; one that is there already is a success. */
export interface MkdirAction {
  readonly kind: "mkdir";
  readonly path: string;
  readonly mode: number;
  readonly makeParents: boolean;
  readonly owner: Owner | null;
  readonly mtime: number | null;
}

/** Writes a file. */
export interface MkfileAction {
  readonly kind: "mkfile";
  readonly path: string;
  readonly mode: number;
  readonly data: Uint8Array;
  readonly owner: Owner | null;
  readonly mtime: number | null;
}

/** Removes files. */
export interface RmAction {
  readonly kind: "rm";
  readonly path: string;
  readonly allowNotFound: boolean;
  readonly wildcard: boolean;
}

/** Makes a symlink at `path`. */
export interface SymlinkAction {
  readonly kind: "symlink";
  readonly target: string;
  readonly path: string;
  readonly owner: Owner | null;
  readonly mtime: number | null;
}

/** One action of a file step. */
export type FileAction = CopyAction | MkdirAction | MkfileAction | RmAction | SymlinkAction;

/** Actions on one tree, in order. */
export interface FileActionsInput {
  /** Root of a mounted, writable tree. */
  readonly root: string;
  readonly actions: readonly FileAction[];
}

/** What the actions wrote. */
export interface FileActionsOutput {
  readonly files: number;
  readonly bytes: number;
}

/** Changes of a tree, in order. */
export interface WriteTreeInput {
  readonly root: string;
  readonly writes: readonly TreeWrite[];
  /** The bytes of all files in `writes`, one after the other: to send so many small pieces to another thread takes long. */
  readonly content: Uint8Array;
}

/** Parts of files; paths are byte strings relative to the root. */
export interface ReadPiecesInput {
  readonly root: string;
  readonly pieces: readonly { readonly path: string; readonly offset: number; readonly length: number }[];
}

/** The bytes of all pieces, one after the other, and how many each has: fewer than were asked for at a file's end. */
export interface ReadPiecesOutput {
  readonly content: Uint8Array;
  readonly lengths: readonly number[];
}

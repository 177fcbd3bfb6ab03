import type { TocEntry } from "../diff/estargz/toc.js";
import type { FirstDifference, LayerEntry, TarPlace } from "../diff/layerEntry.js";
import type { FileActionsInput, FileActionsOutput } from "./actionJobs.js";
import type { ExportTreeInput, MirrorInput, Overlap } from "./exportJobs.js";
import type { FileDigest, FoundBytes, HashOutcome, HashTreeInput, HashTreeOutput, HashTreesInput } from "./hashJobs.js";
import type { ApartOutput, ApplyInput, ApplyOutput, ChangedPath, DiffInput, DiffOutput, HideInput } from "./layerJobs.js";
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
  /** The same for many. */
  removeTrees: { input: { paths: readonly string[] }; output: null };
  /** Bytes on disk below a directory (st_blocks, hard links once). */
  diskUsage: { input: { path: string }; output: { bytes: number; inodes: number } };
  /** Bytes of each of many directories. */
  diskUsages: { input: { paths: readonly string[] }; output: readonly number[] };
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

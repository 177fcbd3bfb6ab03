import { createHash } from "node:crypto";
import type { HashOutcome, HashTreeInput, HashTreeOutput, HashTreesInput, Selection } from "../bulk/hashJobs.js";
import type { JobContext } from "../bulk/jobs.js";
import { hasCode, toWire } from "../errors.js";
import { digestOf, finishDigest } from "../oci/digest.js";
import { isErrno } from "../sys/libc.js";
import { readError } from "./fileError.js";
import { openFileHashes, type FileHash, type FileHashes } from "./fileHashes.js";
import { treeFilter } from "./filter.js";
import { joinPath, toBytes, toText } from "./names.js";
import { readChunks, withSource, type SourceFile } from "./readFile.js";
import { selectRoots, type SelectedRoot } from "./select.js";
import { modeOf, readLink, walkTree, type TreeEntry } from "./walk.js";
import { hashXattrs } from "./xattrs.js";

/** Bump when the text that is hashed changes: every content key changes with it. */
const version = "tbuild.tree.v1";

/**
 * Content checksum of what the selections name: for each entry in order its path below the destination, type, mode,
 * owner (unless ignored), link target, content, device number, file capabilities and user.* attributes. Never times,
 * and of a directory whose content alone is copied neither name nor mode. Files known by identity are not read again.
 * @throws {TbuildError} not_found, invalid_argument, unavailable, permission_denied
 */
export function hashTree(input: HashTreeInput, ctx: JobContext): HashTreeOutput {
  const known = openFileHashes(input.hashCache);
  const output = hashSelections(input, ctx, known);
  known.flush();
  return output;
}

/** {@link hashTree} for each group of selections, of which one may fail and the others not. @throws {TbuildError} cancelled */
export function hashTrees({ groups, ...tree }: HashTreesInput, ctx: JobContext): readonly HashOutcome[] {
  const known = openFileHashes(tree.hashCache);
  const outcomes = groups.map((selections): HashOutcome => {
    try {
      return { output: hashSelections({ ...tree, selections }, ctx, known) };
    } catch (error) {
      if (hasCode(error, "cancelled")) throw error;
      return { error: toWire(error) };
    }
  });
  known.flush();
  return outcomes;
}

function hashSelections(input: HashTreeInput, ctx: JobContext, known: FileHashes): HashTreeOutput {
  const root = toBytes(input.root);
  const job: HashJob = { input, ctx, known, files: 0, bytes: 0, bytesRead: 0, lines: new Map() };
  const hash = createHash("sha256").update(`${version}\0${input.ignoreOwners ? "" : "owners"}\0`);
  for (const selection of input.selections) {
    hash.update("selection\0");
    for (const from of selectRoots(root, input.ignore, selection)) {
      hashRoot(from, selection, job, (line) => hash.update(line, "latin1"));
    }
  }
  const { files, bytes, bytesRead } = job;
  return { digest: finishDigest(hash), files, bytes, bytesRead, listing: listingOf(job) };
}

interface HashJob {
  readonly input: HashTreeInput;
  readonly ctx: JobContext;
  readonly known: FileHashes;
  files: number;
  bytes: number;
  bytesRead: number;
  /** Source path → line, until there are too many. */
  readonly lines: Map<string, string>;
}

function hashRoot(from: SelectedRoot, selection: Selection, job: HashJob, update: (line: string) => void): void {
  const contentOnly = selection.dirContents && from.stat.isDirectory();
  walkTree(from, treeFilter(job.input.ignore, selection), {
    enter(entry) {
      if (entry.stat.isSocket()) return;
      const path = contentOnly ? entry.path : joinPath(from.name, entry.path);
      const line = contentOnly && entry.path === "" ? "dir\0\n" : `${entryLine(from.root, entry, path, job)}\n`;
      update(line);
      count(entry, line, job);
    },
  });
}

function count(entry: TreeEntry, line: string, job: HashJob): void {
  job.files++;
  job.ctx.tick(entry.stat.isFile() ? Number(entry.stat.size) : 0, 1);
  if (job.lines.size <= job.input.maxFiles) job.lines.set(entry.treePath, line);
}

/** Fields end in NUL, which none of them can hold. */
function entryLine(root: string, entry: TreeEntry, path: string, job: HashJob): string {
  const { stat } = entry;
  const owner = job.input.ignoreOwners ? "" : `${stat.uid}:${stat.gid}`;
  const head = `${path}\0${modeOf(stat).toString(8)}\0${owner}\0`;
  const source = joinPath(root, entry.treePath);
  if (stat.isFile()) return `file\0${head}${fileHash(source, entry, job).toString("hex")}`;
  const attributes = () => hashXattrs(source)?.toString("hex") ?? "";
  if (stat.isDirectory()) return `dir\0${head}${attributes()}`;
  if (stat.isSymbolicLink()) return `link\0${path}\0${owner}\0${readLink(source, entry.treePath, "read")}`;
  if (stat.isFIFO()) return `fifo\0${head}${attributes()}`;
  return `${stat.isBlockDevice() ? "block" : "char"}\0${head}${stat.rdev}\0${attributes()}`;
}

function fileHash(path: string, entry: TreeEntry, job: HashJob): FileHash {
  const size = Number(entry.stat.size);
  job.bytes += size;
  const known = job.known.get(entry.stat);
  if (known !== undefined) return known;
  const content = hashContent({ path, shown: entry.treePath, stat: entry.stat });
  const attributes = attributesOf(path, entry.treePath);
  const hash = attributes === null ? content : Buffer.concat([content, attributes]);
  job.bytesRead += size;
  job.known.add(entry.stat, hash);
  return hash;
}

function attributesOf(path: string, shown: string): Buffer | null {
  try {
    return hashXattrs(path);
  } catch (error) {
    if (isErrno(error, "ENODATA")) return null;
    throw readError(error, shown, "read");
  }
}

function hashContent(file: SourceFile): Buffer {
  return withSource(file, "read", (fd) => {
    const hash = createHash("sha256");
    readChunks(fd, file, "read", (chunk) => hash.update(chunk));
    return hash.digest();
  });
}

function listingOf({ input, lines }: HashJob): Record<string, string> | null {
  if (lines.size > input.maxFiles) return null;
  return Object.fromEntries([...lines].map(([path, line]) => [toText(path), digestOf(Buffer.from(line, "latin1"))]));
}

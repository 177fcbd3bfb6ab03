import { createHash } from "node:crypto";
import fs from "node:fs";
import zlib from "node:zlib";
import type { JobContext } from "../bulk/jobs.js";
import type { UnpackMountInput, UnpackMountOutput } from "../bulk/mountJobs.js";
import type { NewEntry, TreeWrite } from "../bulk/treeEntries.js";
import { TbuildError } from "../errors.js";
import { joinPath, osPath, toBytes } from "../tree/names.js";
import { writeTree } from "../tree/writeTree.js";
import { identityOf, writeRecord } from "./mountRecord.js";
import { decodeTree, fileBytes, MAX_PACK, type PackedChunk, type PackedEntry, type PackedFile } from "./packedTree.js";

/**
 * Makes the files of a cache mount out of a tree and its packs, every chunk checked, and notes them beside the mount.
 * @throws {TbuildError} corrupt for what is not as it says, resource_exhausted
 */
export function unpackMount({ tree: file, packs, to, mount, scratch, maxBytes }: UnpackMountInput, ctx: JobContext): UnpackMountOutput {
  const blob = fs.readFileSync(file);
  const { entries } = decodeTree(blob, packs.length);
  const files = entries.filter((entry) => entry.type === "file");
  const bytes = files.reduce((sum, entry) => sum + fileBytes(entry), 0);
  if (bytes > maxBytes) throw new TbuildError("corrupt", `Cannot read the files of a cache mount: they have ${bytes} bytes, more than was said`);
  const write = (one: TreeWrite, content: Uint8Array = nothing): void => void writeTree({ root: to, writes: [one], content }, ctx);
  for (const entry of entries) {
    if (entry.type === "directory") write({ kind: "directory", path: entry.path, isNew: entry.path !== "", as: newEntry(entry) });
    else if (entry.type === "symlink") write({ kind: "symlink", path: entry.path, target: entry.to, as: newEntry(entry) });
  }
  const chunkOf = packReader(packs);
  // In the order of the packs, so that each is unpacked once.
  for (const entry of files.toSorted(byPlace)) writeFile(entry, write, chunkOf);
  for (const entry of entries) if (entry.type === "link") write({ kind: "link", path: entry.path, target: entry.to });
  for (const entry of entries.toReversed()) if (entry.type === "directory") write({ kind: "time", path: entry.path, mtimeNs: BigInt(entry.mtime) });
  const root = toBytes(to);
  const identities = files.map(({ path }) => [path, identityOf(fs.lstatSync(osPath(joinPath(root, path)), { bigint: true }))] as const);
  writeRecord(mount, scratch, { blob, packs: packs.length, files: identities });
  return { files: entries.length - 1, bytes };
}

const nothing = new Uint8Array(0);

type Write = (one: TreeWrite, content?: Uint8Array) => void;

function writeFile(entry: PackedFile, write: Write, chunkOf: (chunk: PackedChunk) => Uint8Array): void {
  const { path, chunks } = entry;
  const as = newEntry(entry);
  if (chunks.length === 0) return write({ kind: "file", path, isNew: true, bytes: 0, as });
  for (const [index, chunk] of chunks.entries()) {
    const content = chunkOf(chunk);
    write({ kind: "file", path, isNew: index === 0, bytes: content.length, as: index === chunks.length - 1 ? as : null }, content);
  }
}

function newEntry(entry: Exclude<PackedEntry, { readonly type: "link" }>): NewEntry {
  const { mode, uid, gid, mtime, xattrs } = entry;
  const values = xattrs === undefined ? null : new Map(Object.entries(xattrs).map(([name, value]) => [name, Buffer.from(value, "base64")]));
  return { mode, owner: { uid, gid }, mtimeNs: BigInt(mtime), xattrs: values };
}

function byPlace(a: PackedFile, b: PackedFile): number {
  const [pack = -1, offset = 0] = a.chunks[0] ?? [];
  const [otherPack = -1, otherOffset = 0] = b.chunks[0] ?? [];
  return pack - otherPack || offset - otherOffset;
}

/** Packs that are held unpacked: a large file may go back and forth between few. */
const HELD = 3;

/** Chunks of packs, each checked. */
function packReader(packs: readonly string[]): (chunk: PackedChunk) => Uint8Array {
  const held = new Map<number, Buffer>();
  const open = (index: number): Buffer => {
    const before = held.get(index);
    const pack = before ?? unpacked(packs[index]!);
    held.delete(index);
    held.set(index, pack);
    if (held.size > HELD) held.delete(held.keys().next().value!);
    return pack;
  };
  return ([index, offset, length, sha256]) => {
    const chunk = open(index).subarray(offset, offset + length);
    if (createHash("sha256").update(chunk).digest("hex") === sha256) return chunk;
    throw new TbuildError("corrupt", "Cannot read the files of a cache mount: a chunk is not what its digest says");
  };
}

function unpacked(file: string): Buffer {
  try {
    return zlib.gunzipSync(fs.readFileSync(file), { maxOutputLength: MAX_PACK });
  } catch (error) {
    throw new TbuildError("corrupt", `Cannot read the files of a cache mount: ${(error as Error).message}`, { cause: error });
  }
}

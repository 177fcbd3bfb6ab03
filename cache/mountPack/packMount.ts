import fs, { type BigIntStats } from "node:fs";
import type { JobContext } from "../bulk/jobs.js";
import type { PackMountInput, PackMountOutput } from "../bulk/mountJobs.js";
import { hasCode } from "../errors.js";
import { digestOf } from "../oci/digest.js";
import { inodeOf } from "../tree/copyFile.js";
import { joinPath, toBytes } from "../tree/names.js";
import { modeOf } from "../tree/walk.js";
import { compact, type PackedNow } from "./compact.js";
import { fileChunks } from "./fileChunks.js";
import { identityOf, type MountRecord, readRecord, recordedTree, writeRecord } from "./mountRecord.js";
import { decodeTree, encodeTree, type PackedChunk, type PackedEntry, type PackedTree } from "./packedTree.js";
import { packWriter, type PackWriter } from "./packWriter.js";
import { bytesOf, type SeenFile, seenFiles } from "./seenFiles.js";

/** The kernel's clock of files may be so coarse: what was written just now could be written again without a sign of it. */
const TICK_MS = 20;

/**
 * Puts the bytes of a cache mount's files into packs, which are emitted, and all else into the blob of its tree. Chunks that the basis has
 * are taken from there, and files that have not changed since the mount's record are not read. A file that changes meanwhile is left out;
 * sockets, pipes and devices are too. @throws {TbuildError} unavailable when directories vanish meanwhile
 */
export function packMount({ path, maxBytes, basis, scratch }: PackMountInput, ctx: JobContext): PackMountOutput {
  const root = toBytes(path);
  const startedAt = Date.now();
  const seen = seenFiles(root);
  const bytes = bytesOf(seen);
  if (bytes > maxBytes) return { kind: "too-large", bytes };
  const record = readRecord(path);
  const isRecorded = record !== null && basis?.tree === recordedTree(path) && basis.packs === record.packs;
  const base = isRecorded ? record.tree : readBasis(basis);
  const packs = base === null ? 0 : basis!.packs;
  const writer = packWriter(base, packs, (pack) => ctx.emit(pack));
  const { entries, packed, leftOut } = packEntries(root, seen, { writer, record, ctx });
  if (base !== null) compact(root, packed, { base, packs, writer });
  const made = writer.end();
  const { tree, kept } = renumber(entries, packed, packs);
  const blob = encodeTree(tree);
  fs.writeFileSync(scratch[0], blob);
  const settled = packed.filter(({ stat }) => startedAt - Number(stat.ctimeMs) > TICK_MS);
  const files = settled.map(({ entry, stat }) => [entry.path, identityOf(stat)] as const);
  writeRecord(path, scratch[1], { blob, packs: kept.length + made, files });
  return { kind: "packed", tree: { digest: digestOf(blob), size: blob.length }, kept, made, bytes, files: entries.length, leftOut };
}

/** A basis that cannot be read is none. */
function readBasis(basis: PackMountInput["basis"]): PackedTree | null {
  if (basis === null) return null;
  try {
    return decodeTree(fs.readFileSync(basis.tree), basis.packs);
  } catch {
    return null;
  }
}

interface Packing {
  readonly writer: PackWriter;
  readonly record: MountRecord | null;
  readonly ctx: JobContext;
}

function packEntries(root: string, seen: readonly SeenFile[], packing: Packing) {
  const entries: (PackedEntry | PackedNow)[] = [];
  const packed: PackedNow[] = [];
  const names = new Map<string, string>();
  const before = recorded(packing);
  let leftOut = 0;
  for (const { path, stat, target, xattrs } of seen) {
    const as = { path, mode: modeOf(stat), uid: Number(stat.uid), gid: Number(stat.gid), mtime: String(stat.mtimeNs), ...textsOf(xattrs) };
    const first = stat.isFile() ? names.get(inodeOf(stat)) : undefined;
    if (stat.isDirectory()) entries.push({ ...as, type: "directory" });
    else if (stat.isSymbolicLink()) entries.push({ ...as, type: "symlink", to: target });
    else if (first !== undefined) entries.push({ path, type: "link", to: first });
    else {
      const chunks = before(path, stat) ?? readFile({ path: joinPath(root, path), shown: path, stat }, packing);
      if (chunks === null) leftOut++;
      else {
        const now: PackedNow = { stat, entry: { ...as, type: "file", chunks } };
        entries.push(now);
        packed.push(now);
        if (stat.nlink > 1n) names.set(inodeOf(stat), path);
      }
    }
    packing.ctx.tick(0, 1);
  }
  return { entries, packed, leftOut };
}

function textsOf(xattrs: SeenFile["xattrs"]): { readonly xattrs?: Readonly<Record<string, string>> } {
  if (xattrs.size === 0) return {};
  const sorted = [...xattrs].sort(([a], [b]) => (a < b ? -1 : 1));
  return { xattrs: Object.fromEntries(sorted.map(([name, value]) => [name, Buffer.from(value).toString("base64")])) };
}

/** Chunks of a file that is as it was recorded, null when it is not, or when the basis does not have them all. */
function recorded({ record, writer }: Packing): (path: string, stat: BigIntStats) => readonly PackedChunk[] | null {
  const files = new Map((record?.tree.entries ?? []).flatMap((entry) => (entry.type === "file" ? [[entry.path, entry.chunks] as const] : [])));
  return (path, stat) => {
    if (record?.identities.get(path) !== identityOf(stat)) return null;
    const chunks = files.get(path)?.map(([, , , sha256]) => writer.find(sha256));
    return chunks?.every((chunk) => chunk !== undefined) === true ? chunks : null;
  };
}

/** Null for a file that changed while it was read. */
function readFile(file: Parameters<typeof fileChunks>[0], { writer, ctx }: Packing): readonly PackedChunk[] | null {
  try {
    return fileChunks(file, (chunk) => {
      ctx.tick(chunk.length, 0);
      return writer.add(chunk);
    });
  } catch (error) {
    if (!hasCode(error, "unavailable")) throw error;
    return null;
  }
}

/** Packs of the basis that nothing needs have no number any more. */
function renumber(entries: readonly (PackedEntry | PackedNow)[], packed: readonly PackedNow[], basePacks: number) {
  const used = new Set(packed.flatMap(({ entry }) => entry.chunks.map(([pack]) => pack)));
  const kept = [...used].filter((pack) => pack < basePacks).sort((a, b) => a - b);
  const numbers = new Map(kept.map((pack, index) => [pack, index]));
  const place = (pack: number): number => numbers.get(pack) ?? pack - basePacks + kept.length;
  const tree: PackedTree = {
    entries: entries.map((one) => {
      if (!("entry" in one)) return one;
      return { ...one.entry, chunks: one.entry.chunks.map(([pack, ...rest]) => [place(pack), ...rest] as const) };
    }),
  };
  return { tree, kept };
}

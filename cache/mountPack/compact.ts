import { createHash } from "node:crypto";
import type { BigIntStats } from "node:fs";
import { hasCode } from "../errors.js";
import { joinPath } from "../tree/names.js";
import { chunkAt } from "./fileChunks.js";
import type { PackedChunk, PackedFile, PackedTree } from "./packedTree.js";
import type { PackWriter } from "./packWriter.js";

/** Packs below this many bytes are small. */
const SMALL = 1 << 20;
/** As many small packs are kept side by side; with more they are put together. */
const MANY_SMALL = 16;

/** A file that was packed, and what it was then. */
export interface PackedNow {
  readonly stat: BigIntStats;
  entry: PackedFile;
}

/** What {@link compact} works with. */
export interface Compaction {
  readonly base: PackedTree;
  /** Packs of the basis. */
  readonly packs: number;
  readonly writer: PackWriter;
}

/**
 * Gives up packs of the basis of which less than half is still needed, and small ones when there are many: what is needed of them is read
 * from the mount and goes into new packs. Changes the entries of `packed`. What cannot be read stays where it is.
 */
export function compact(root: string, packed: readonly PackedNow[], { base, packs, writer }: Compaction): void {
  const given = wasteful(packed, base, packs);
  if (given.size === 0) return;
  writer.giveUp(given);
  for (const one of packed) {
    if (!one.entry.chunks.some(([pack]) => given.has(pack))) continue;
    let offset = 0;
    const chunks = one.entry.chunks.map((chunk) => {
      const at = offset;
      offset += chunk[2];
      return given.has(chunk[0]) ? moved(root, one, chunk, at, writer) : chunk;
    });
    one.entry = { ...one.entry, chunks };
  }
}

function moved(root: string, { entry: { path }, stat }: PackedNow, chunk: PackedChunk, offset: number, writer: PackWriter): PackedChunk {
  const [, , length, sha256] = chunk;
  const found = writer.find(sha256);
  if (found !== undefined) return found;
  try {
    const bytes = chunkAt({ path: joinPath(root, path), shown: path, stat }, offset, length);
    return createHash("sha256").update(bytes).digest("hex") === sha256 ? writer.add(bytes) : chunk;
  } catch (error) {
    if (!hasCode(error, "unavailable")) throw error;
    return chunk;
  }
}

function wasteful(packed: readonly PackedNow[], base: PackedTree, packs: number): ReadonlySet<number> {
  const whole = base.entries.flatMap((entry) => (entry.type === "file" ? entry.chunks : []));
  const sizes = sizesOf(whole, packs);
  const live = sizesOf(packed.flatMap(({ entry }) => entry.chunks), packs);
  const used = [...live.keys()].filter((pack) => live[pack]! > 0);
  const small = used.filter((pack) => sizes[pack]! < SMALL);
  const sparse = used.filter((pack) => live[pack]! * 2 < sizes[pack]!);
  return new Set([...sparse, ...(small.length > MANY_SMALL ? small : [])]);
}

/** Bytes of the chunks in each pack of the basis, each chunk once. */
function sizesOf(chunks: readonly PackedChunk[], packs: number): readonly number[] {
  const sizes = Array.from({ length: packs }, () => 0);
  const seen = new Set<string>();
  for (const [pack, offset, length] of chunks) {
    const place = `${pack} ${offset}`;
    if (pack >= packs || seen.has(place)) continue;
    seen.add(place);
    sizes[pack]! += length;
  }
  return sizes;
}

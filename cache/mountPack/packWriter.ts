import { createHash } from "node:crypto";
import { MAX_CHUNK } from "./chunker.js";
import { MAX_PACK, type PackedChunk, type PackedTree } from "./packedTree.js";

/** Chunks by their digests: those that packs have already, and new packs for others. */
export interface PackWriter {
  /** Where the chunk is; one that is in no pack is put into a new one, whose bytes are copied. */
  add(chunk: Uint8Array): PackedChunk;
  /** Where a chunk of this digest is. */
  find(sha256: string): PackedChunk | undefined;
  /** Packs of `basis` that are to be given up: what is still needed of them must be added again. */
  giveUp(packs: ReadonlySet<number>): void;
  /** Hands out the last pack. Returns how many new ones there are; they have the numbers after those of the basis. */
  end(): number;
}

/** A pack that is smaller is not ended, in bytes. */
const MIN_PACK = 2 << 20;
/** Beyond {@link MIN_PACK} packs end once in so many bytes, at chunks that say so: equal files make equal packs whatever comes before. */
const MEAN_PACK = 6 << 20;

/** New packs are numbered from `basePacks` on. `emit` takes each as one buffer, in order. */
export function packWriter(basis: PackedTree | null, basePacks: number, emit: (pack: Uint8Array) => void): PackWriter {
  const known = new Map<string, PackedChunk>();
  for (const entry of basis?.entries ?? []) if (entry.type === "file") for (const chunk of entry.chunks) known.set(chunk[3], chunk);
  let made = 0;
  let bytes = 0;
  let pending: Uint8Array[] = [];
  const flush = (): void => {
    if (bytes === 0) return;
    emit(Buffer.concat(pending));
    made++;
    [pending, bytes] = [[], 0];
  };
  return {
    add(chunk) {
      const sha256 = createHash("sha256").update(chunk).digest("hex");
      const before = known.get(sha256);
      if (before !== undefined) return before;
      const place: PackedChunk = [basePacks + made, bytes, chunk.length, sha256];
      known.set(sha256, place);
      pending.push(Uint8Array.prototype.slice.call(chunk));
      bytes += chunk.length;
      if (bytes >= MAX_PACK - MAX_CHUNK || (bytes >= MIN_PACK && endsPack(sha256, chunk.length))) flush();
      return place;
    },
    find: (sha256) => known.get(sha256),
    giveUp(packs) {
      for (const [sha256, [pack]] of known) if (packs.has(pack)) known.delete(sha256);
    },
    end() {
      flush();
      return made;
    },
  };
}

function endsPack(sha256: string, length: number): boolean {
  return Number.parseInt(sha256.slice(0, 8), 16) < (length / MEAN_PACK) * 0x1_0000_0000;
}

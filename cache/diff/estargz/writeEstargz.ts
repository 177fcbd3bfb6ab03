import { createHash } from "node:crypto";
import { open, type FileHandle } from "node:fs/promises";
import os from "node:os";
import type { Opts } from "../../content/store.js";
import { cancelled } from "../../errors.js";
import { finishDigest, type Digest } from "../../oci/digest.js";
import type { ChunkSink, CompressorOptions } from "../compressor.js";
import { gzipMember } from "../gzip.js";
import { CHUNK_BYTES } from "./indexTar.js";
import { footer, tocTar, type TocEntry } from "./toc.js";

/** An eStargz layer that was written. */
export interface EstargzLayer {
  /** Digest of all that the blob decompresses to: the tar, and after it the table of contents. */
  readonly diffId: Digest;
  /** Bytes of the same. */
  readonly size: number;
  /** Of the table of contents' JSON. */
  readonly tocDigest: Digest;
}

/**
 * Writes the file `tar`, of which `index` is the index, as eStargz: a gzip blob in which each chunk of a file starts a member of
 * its own, with a table of contents after the end of the tar, where other readers do not look. The bytes depend on the tar and
 * the level only. Sources: stargz-snapshotter, docs/estargz.md; BuildKit's writer, which has no landmarks either.
 */
export async function writeEstargz(
  tar: string,
  index: readonly TocEntry[],
  output: ChunkSink,
  options: CompressorOptions & Opts = {},
): Promise<EstargzLayer> {
  await using file = await open(tar, "r");
  const hash = createHash("sha256");
  const { size } = await file.stat();
  const cuts = memberStarts(index, size);
  const places = new Map<number, number>();
  let written = 0;
  async function put(bytes: Uint8Array): Promise<void> {
    await output(bytes);
    written += bytes.length;
  }
  for await (const { start, bytes } of members(file, cuts, (data) => hash.update(data), options)) {
    places.set(start, written);
    await put(bytes);
  }
  const toc = tocTar(index.map((entry) => (entry.offset === undefined ? entry : { ...entry, offset: places.get(entry.offset)! })));
  const tocOffset = written;
  await put(await gzipMember(toc.tar, options.level));
  await put(footer(tocOffset));
  hash.update(toc.tar);
  return { diffId: finishDigest(hash), size: size + toc.tar.length, tocDigest: toc.digest };
}

/** No member is longer, so that a tar of headers alone is not one. More than a chunk and its padding, so that none is cut. */
const MEMBER_BYTES = 2 * CHUNK_BYTES;

/** Where the members start in the tar, in order, and the tar's end. */
function memberStarts(index: readonly TocEntry[], size: number): readonly number[] {
  const starts = [0];
  for (const next of [...index.flatMap(({ offset }) => offset ?? []), size]) {
    for (let last = starts.at(-1)!; next - last > MEMBER_BYTES; last += MEMBER_BYTES) starts.push(last + MEMBER_BYTES);
    starts.push(next);
  }
  return starts;
}

interface Member {
  /** In the tar. */
  readonly start: number;
  readonly bytes: Uint8Array;
}

/** Compresses the stretches between `cuts`, some at a time; `onData` sees the tar in order. */
async function* members(
  file: FileHandle,
  cuts: readonly number[],
  onData: (data: Uint8Array) => void,
  { level, concurrency = os.availableParallelism(), signal }: CompressorOptions & Opts,
): AsyncGenerator<Member> {
  const pending: Promise<Member>[] = [];
  const read = sequentialReader(file);
  for (let i = 0; i + 1 < cuts.length; i++) {
    if (signal?.aborted) throw cancelled(signal);
    const start = cuts[i]!;
    const data = await read(cuts[i + 1]! - start);
    onData(data);
    const member = gzipMember(data, level).then((bytes) => ({ start, bytes }));
    member.catch(() => undefined); // awaited below, in order
    pending.push(member);
    if (pending.length >= 2 * concurrency) yield await pending.shift()!;
  }
  for (const member of pending) yield await member;
}

/** Reads of exact lengths, front to back; what is returned stays as it is. Files are small: several come with one read. */
function sequentialReader(file: FileHandle): (length: number) => Promise<Buffer> {
  let buffer = Buffer.alloc(0);

  async function fill(length: number): Promise<void> {
    const larger = Buffer.allocUnsafeSlow(Math.max(length, MEMBER_BYTES));
    let at = buffer.copy(larger);
    while (at < length) {
      const { bytesRead } = await file.read(larger, at, larger.length - at);
      if (bytesRead === 0) throw new Error("the tar became shorter while it was read");
      at += bytesRead;
    }
    buffer = larger.subarray(0, at);
  }
  return async (length) => {
    if (buffer.length < length) await fill(length);
    const data = buffer.subarray(0, length);
    buffer = buffer.subarray(length);
    return data;
  };
}

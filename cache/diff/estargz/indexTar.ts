import { createHash, type Hash } from "node:crypto";
import type { JobContext } from "../../bulk/jobs.js";
import { digestOf, finishDigest } from "../../oci/digest.js";
import { openPlain } from "../decompress.js";
import { cannotPack } from "../errors.js";
import type { TarEntry } from "../header.js";
import { openTar, type TarReader } from "../reader.js";
import { TOC_NAME, tocEntry, toText, type TocEntry } from "./toc.js";

/** Bytes of a file in one chunk. Source: stargz-snapshotter's default. */
export const CHUNK_BYTES = 4 << 20;

/**
 * Table of contents of a tar file that is not compressed; offsets are those of the data in the tar, and go up.
 * @throws {TbuildError} parse_failed, corrupt; unsupported for sparse files and for a layer that has a table of contents
 */
export function indexTar({ tar }: { readonly tar: string }, ctx: JobContext): readonly TocEntry[] {
  using file = openPlain(tar);
  const reader = openTar(file.read, (bytes) => ctx.tick(bytes.length, 0));
  const entries: TocEntry[] = [];
  for (let entry = reader.next(); entry !== null; entry = reader.next()) {
    if (entry.name.replace(/^(?:\.?\/)+/, "") === TOC_NAME) throw cannotPack(entry.name, "an eStargz layer's table of contents has this name");
    if (entry.type === "file") for (const line of indexFile(reader, entry)) entries.push(line);
    else entries.push(tocEntry(entry));
    ctx.tick(0, 1);
  }
  return entries;
}

function indexFile(reader: TarReader, entry: TarEntry): readonly TocEntry[] {
  const line = tocEntry(entry);
  if (entry.size === 0) return [{ ...line, digest: digestOf("") }];
  const whole = createHash("sha256");
  const chunks = createChunks(reader.position(), entry.size);
  let size = 0;
  reader.readBody((data) => {
    size += data.length;
    whole.update(data);
    chunks.add(data);
  });
  if (size !== entry.size) throw cannotPack(entry.name, "an eStargz layer cannot hold sparse files");
  const name = toText(entry.name);
  const [first, ...others] = chunks.all;
  return [{ ...line, digest: finishDigest(whole), ...first }, ...others.map((chunk) => ({ name, type: "chunk" as const, ...chunk }))];
}

type Chunk = Pick<TocEntry, "offset" | "chunkOffset" | "chunkSize" | "chunkDigest">;

/** Cuts the data of a file of `size` bytes, which starts at `start` of the tar, into chunks. */
function createChunks(start: number, size: number) {
  const all: Chunk[] = [];
  let hash: Hash = createHash("sha256");
  let begin = 0;
  let at = 0; // both in the file

  function add(data: Buffer): void {
    for (let done = 0; done < data.length; ) {
      const end = Math.min(begin + CHUNK_BYTES, size);
      const part = data.subarray(done, done + end - at);
      hash.update(part);
      done += part.length;
      at += part.length;
      if (at === end) finish();
    }
  }

  function finish(): void {
    const isWhole = at - begin === CHUNK_BYTES;
    all.push({
      offset: start + begin,
      ...(begin === 0 ? {} : { chunkOffset: begin }),
      ...(isWhole ? { chunkSize: CHUNK_BYTES } : {}),
      chunkDigest: finishDigest(hash),
    });
    hash = createHash("sha256");
    begin = at;
  }
  return { add, all: all as readonly Chunk[] };
}

import { createByteStream, type ByteStream, type ChunkSource } from "./byteStream.js";
import { malformedTar, truncatedTar } from "./errors.js";
import { buildEntry, entryType, isExtension, mergeRecords, NOT_EXTENDED, readExtension, type Extended } from "./extended.js";
import { BLOCK, isZeroBlock, paddingOf } from "./fields.js";
import { decodeHeader, type HeaderBlock, type TarEntry } from "./header.js";
import { parseDecimal, type PaxRecords } from "./pax.js";
import { checkSegments, readOldSparse, readPaxSparse, type Segment, type SparseMap } from "./sparse.js";

/** Reads a tar once, front to back, holding one chunk at a time. */
export interface TarReader {
  /**
   * The next entry, or null at the end of the archive, when the rest of the source has been read too. A body that was
   * not read is skipped.
   * @throws {TbuildError} parse_failed, unsupported; corrupt when the archive is cut short
   */
  next(): TarEntry | null;
  /**
   * Hands out the data of the entry that `next` returned last, in order; once only. `at` is the position in the file:
   * what is not handed out is a hole. A chunk is only valid during the call.
   */
  readBody(onData: (chunk: Buffer, at: number) => void): void;
  /** Where in the tar the reader is: after `next`, at the first byte of the entry's data. */
  position(): number;
}

/** Opens a tar. `onBytes` sees every byte of the source, padding and what follows the archive included. */
export function openTar(source: ChunkSource, onBytes: (chunk: Buffer) => void): TarReader {
  const stream = createByteStream(source, truncatedTar, onBytes);
  let globals: PaxRecords = NOT_EXTENDED.records;
  let body: Body = { segments: [], bytes: 0 };
  let left = 0;

  function next(): TarEntry | null {
    stream.skip(left);
    left = 0;
    let extended = NOT_EXTENDED;
    for (;;) {
      const block = stream.peek() === null ? null : stream.readExactly(BLOCK);
      if (block === null || isZeroBlock(block)) return finish(stream, block !== null, extended);
      const header = decodeHeader(block);
      if (!isExtension(header.flag)) return begin(header, block, extended);
      if (header.flag === "g") globals = readExtension(stream, header, { ...NOT_EXTENDED, records: globals }).records;
      else extended = readExtension(stream, header, extended);
    }
  }

  function begin(header: HeaderBlock, block: Buffer, extended: Extended): TarEntry {
    const merged = { ...extended, records: mergeRecords(globals, extended.records) };
    const name = merged.records.get("path") ?? merged.longName ?? header.name;
    const type = entryType(header.flag, name);
    const archived = archivedBytes(header, merged.records);
    const sparse = type === "file" ? readSparse(stream, header, block, merged.records, archived) : null;
    const bytes = archived - (sparse?.mapBytes ?? 0);
    const size = sparse?.size ?? bytes;
    body = { segments: sparse?.segments ?? [{ offset: 0, length: bytes }], bytes };
    checkSegments(body.segments, size, bytes);
    left = bytes + paddingOf(archived);
    return buildEntry(type, sparse?.name ?? name, header, merged, size);
  }

  function readBody(onData: (chunk: Buffer, at: number) => void): void {
    for (const { offset, length } of body.segments) {
      for (let done = 0; done < length; ) {
        const chunk = stream.readSome(length - done);
        left -= chunk.length;
        onData(chunk, offset + done);
        done += chunk.length;
      }
    }
  }

  return { next, readBody, position: () => stream.position() };
}

interface Body {
  readonly segments: readonly Segment[];
  /** In the archive, without padding. */
  readonly bytes: number;
}

// Links, directories and devices have no body whatever their size says, as in Go's archive/tar; GNU's dumped directories do.
const BODY_FLAGS = new Set(["\0", "0", "7", "S", "D"]);

function archivedBytes(header: HeaderBlock, records: PaxRecords): number {
  if (!BODY_FLAGS.has(header.flag)) return 0;
  const size = records.get("size");
  return size === undefined ? header.size : parseDecimal(size, "the size of an entry");
}

function readSparse(
  stream: ByteStream, header: HeaderBlock, block: Buffer, records: PaxRecords, archived: number,
): SparseMap | null {
  // The header's bytes do not outlive the next read.
  if (header.flag === "S") return readOldSparse(Buffer.from(block), () => stream.readExactly(BLOCK));
  let left = archived;
  return readPaxSparse(records, () => {
    left -= BLOCK;
    if (left < 0) throw malformedTar("a sparse map does not fit its entry");
    return stream.readExactly(BLOCK);
  });
}

/** Reads what follows the last entry: zeros by the rules, anything in practice. */
function finish(stream: ByteStream, zeros: boolean, extended: Extended): null {
  if (extended !== NOT_EXTENDED) throw truncatedTar();
  const second = zeros && stream.peek() !== null ? stream.readExactly(BLOCK) : null;
  if (second !== null && !isZeroBlock(second)) throw malformedTar("a block of zeros is not followed by another one");
  for (let rest = stream.peek(); rest !== null; rest = stream.peek()) stream.take(rest.length);
  return null;
}

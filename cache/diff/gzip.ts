import os from "node:os";
import { promisify } from "node:util";
import zlib from "node:zlib";

/** A gzip stream under construction. Not for calls that overlap. */
export interface GzipWriter {
  /** Takes bytes over; resolves when there is room for more. Rejects with what compression or `output` failed with. */
  write(chunk: Uint8Array): Promise<void>;
  /** Resolves when `output` has taken the last byte. */
  end(): Promise<void>;
}

/** See {@link createGzip}. */
export interface GzipOptions {
  /** 0 (not compressed), 1 (fast) to 9 (small); default 4. */
  readonly level?: number | undefined;
  /** Blocks compressed at a time; default the number of processors. Does not change the bytes. */
  readonly concurrency?: number | undefined;
}

/** Half as much again to twice as fast as level 6, and 2 % larger: see docs/decisions/0006. */
const DEFAULT_LEVEL = 4;

const BLOCK = 1 << 20;
const WINDOW = 32 * 1024;
// No name, no time, unknown operating system: nothing of this machine.
const HEADER = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff);

const deflateRaw = promisify<zlib.InputType, zlib.ZlibOptions, Buffer>(zlib.deflateRaw);

/**
 * Compresses to one gzip member in libuv's threads. Blocks of 1 MiB are deflated on their own, each with the end of the one
 * before as its dictionary, so the bytes depend on the data and the level only: not on the number of threads, nor on how
 * the data was cut into chunks. `output` gets the bytes in order, one call at a time.
 */
export function createGzip(output: (chunk: Uint8Array) => Promise<void> | void, options: GzipOptions = {}): GzipWriter {
  const maxPending = 2 * (options.concurrency ?? os.availableParallelism());
  const pending: Promise<void>[] = [];
  let block = Buffer.allocUnsafeSlow(BLOCK);
  let at = 0;
  let dictionary = Buffer.alloc(0);
  let crc = 0;
  let length = 0;
  let written: Promise<void> = Promise.resolve().then(() => output(HEADER));

  function startBlock(finishFlush: number): void {
    const data = block.subarray(0, at);
    const deflated = deflateRaw(data, deflateOptions(options.level ?? DEFAULT_LEVEL, finishFlush, dictionary));
    crc = zlib.crc32(data, crc);
    length = (length + at) >>> 0;
    dictionary = data.subarray(Math.max(0, at - WINDOW));
    block = Buffer.allocUnsafeSlow(BLOCK);
    at = 0;
    written = Promise.all([deflated, written]).then(([bytes]) => output(bytes));
    written.catch(() => undefined); // reported by the next call
    pending.push(written);
  }

  async function write(chunk: Uint8Array): Promise<void> {
    for (let done = 0; done < chunk.length; ) {
      // A full block waits for the next byte: the last block is closed differently.
      if (at === BLOCK) startBlock(zlib.constants.Z_SYNC_FLUSH);
      if (pending.length >= maxPending) await pending.shift();
      const taken = Math.min(BLOCK - at, chunk.length - done);
      block.set(chunk.subarray(done, done + taken), at);
      at += taken;
      done += taken;
    }
  }

  async function end(): Promise<void> {
    startBlock(zlib.constants.Z_FINISH);
    await written;
    await output(trailerOf(crc, length));
  }

  return { write, end };
}

/** One whole gzip member, made in one of libuv's threads. The bytes depend on the data and the level only. */
export async function gzipMember(data: Uint8Array, level: number = DEFAULT_LEVEL): Promise<Buffer> {
  const deflated = await deflateRaw(data, { level, memLevel: 9 });
  return Buffer.concat([HEADER, deflated, trailerOf(zlib.crc32(data), data.length)]);
}

function trailerOf(crc: number, length: number): Buffer {
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(crc, 0);
  trailer.writeUInt32LE(length >>> 0, 4);
  return trailer;
}

function deflateOptions(level: number, finishFlush: number, dictionary: Buffer): zlib.ZlibOptions {
  const base = { level, memLevel: 9, chunkSize: BLOCK + 1024, finishFlush };
  return dictionary.length === 0 ? base : { ...base, dictionary };
}

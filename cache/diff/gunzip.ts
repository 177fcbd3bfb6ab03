import zlib from "node:zlib";
import { createByteStream, type ByteStream, type ChunkSource } from "./byteStream.js";
import { damagedStream } from "./errors.js";

/** What Node's zlib binding offers; it is how `zlib.gunzipSync` works inside, but can be fed piece by piece. */
interface InflateHandle {
  writeSync(
    flush: number, input: Buffer | null, inputAt: number, inputLength: number,
    output: Buffer, outputAt: number, outputLength: number,
  ): void;
  reset(): void;
  close(): void;
}

interface InflateInternals {
  readonly _handle?: Partial<InflateHandle>;
  /** Output space and input left after a call. */
  readonly _writeState?: Uint32Array;
}

const OUTPUT = 256 * 1024;

/** True when this Node still has the binding that {@link gunzip} needs. */
export function canGunzip(): boolean {
  const raw = zlib.createInflateRaw() as unknown as InflateInternals;
  const handle = raw._handle;
  const usable = raw._writeState?.length === 2 && [handle?.writeSync, handle?.reset, handle?.close].every(isFunction);
  if (isFunction(handle?.close)) handle.close();
  return usable;
}

function isFunction(value: unknown): value is () => void {
  return typeof value === "function";
}

/**
 * Decompresses gzip synchronously, one chunk at a time (Node's public API only has whole buffers or promises). Members
 * follow each other as in gzip(1): zeros and garbage after the last one are ignored. Checksums are verified.
 * Chunks are valid until the next call. @throws {TbuildError} corrupt, from the returned function
 */
export function gunzip(source: ChunkSource): ChunkSource {
  const input = createByteStream(source, endsTooEarly);
  const inflate = openInflate();
  const output = Buffer.allocUnsafeSlow(OUTPUT);
  let state: "header" | "body" | "end" = "header";
  let members = 0;
  let crc = 0;
  let length = 0;

  function next(): Buffer | null {
    for (;;) {
      if (state === "header" && !startMember()) state = "end";
      if (state === "end") return null;
      const chunk = inflateSome();
      if (chunk.length > 0) return chunk;
    }
  }

  function startMember(): boolean {
    if (!readGzipHeader(input, members === 0)) return inflate.close();
    if (members++ > 0) inflate.reset();
    crc = length = 0;
    state = "body";
    return true;
  }

  function inflateSome(): Buffer {
    const packed = input.peek();
    if (packed === null) throw endsTooEarly();
    const { inputLeft, outputLeft } = inflate.write(packed, output);
    input.take(packed.length - inputLeft);
    const chunk = output.subarray(0, OUTPUT - outputLeft);
    crc = zlib.crc32(chunk, crc);
    length = (length + chunk.length) >>> 0;
    // Inflate only leaves input while it has space for output when its stream has ended.
    if (inputLeft > 0 && outputLeft > 0) endMember();
    return chunk;
  }

  function endMember(): void {
    const trailer = input.readExactly(8);
    const right = trailer.readUInt32LE(0) === crc && trailer.readUInt32LE(4) === length;
    if (!right) throw damagedStream("the gzip data has a wrong checksum");
    state = "header";
  }

  return next;
}

function endsTooEarly(): Error {
  return damagedStream("the gzip data ends too early");
}

function openInflate() {
  const raw = zlib.createInflateRaw() as unknown as Required<InflateInternals>;
  const handle = raw._handle as InflateHandle;
  let failure: string | null = null;
  Object.assign(handle, { onerror: (message: string) => (failure = message) });
  return {
    write(input: Buffer, output: Buffer): { inputLeft: number; outputLeft: number } {
      handle.writeSync(zlib.constants.Z_NO_FLUSH, input, 0, input.length, output, 0, output.length);
      if (failure !== null) throw damagedStream(`${failure} in gzip data`);
      return { outputLeft: raw._writeState[0]!, inputLeft: raw._writeState[1]! };
    },
    reset: () => handle.reset(),
    close(): false {
      handle.close();
      return false;
    },
  };
}

const FHCRC = 0x02;
const FEXTRA = 0x04;
const FNAME = 0x08;
const FCOMMENT = 0x10;

/** False when no member starts here, which only the first one must. Source: RFC 1952 */
function readGzipHeader(input: ByteStream, first: boolean): boolean {
  const byte = (): number => input.readExactly(1)[0]!;
  for (const magic of [0x1f, 0x8b, 8]) {
    if (input.peek() === null || byte() !== magic) {
      if (first) throw damagedStream("it does not start with a gzip header");
      return false;
    }
  }
  const flags = byte();
  input.skip(6);
  if ((flags & FEXTRA) !== 0) input.skip(byte() + byte() * 256);
  if ((flags & FNAME) !== 0) while (byte() !== 0);
  if ((flags & FCOMMENT) !== 0) while (byte() !== 0);
  if ((flags & FHCRC) !== 0) input.skip(2);
  return true;
}

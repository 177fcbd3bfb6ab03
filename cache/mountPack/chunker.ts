/** A file of up to this many bytes is one chunk. */
export const MIN_CHUNK = 256 << 10;
/** No chunk is larger, in bytes. */
export const MAX_CHUNK = 4 << 20;

/** One cut in 2^20 bytes on average, at the upper bits: those say something of the last 32 bytes. */
const MASK = 0xfffff000;

/** A number for each byte value. Other numbers would cut elsewhere, so that nothing of older caches would be found again. */
const gear = gearTable();

/**
 * Length of the chunk that `data` begins with, cut where its content says so (FastCDC's gear hash): what is inserted into a file moves the
 * cuts near it and no others. All of `data` when it has no cut; it should hold {@link MAX_CHUNK} bytes unless the file ends before.
 */
export function chunkLength(data: Uint8Array): number {
  const end = Math.min(data.length, MAX_CHUNK);
  let hash = 0;
  for (let at = MIN_CHUNK; at < end; at++) {
    hash = ((hash << 1) + gear[data[at]!]!) | 0;
    if ((hash & MASK) === 0) return at + 1;
  }
  return end;
}

/** 32-bit numbers of a fixed sequence. Source: splitmix32. */
function gearTable(): Int32Array {
  let state = 0x74627569;
  return Int32Array.from({ length: 256 }, () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = state ^ (state >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a2d97);
    return mixed ^ (mixed >>> 15);
  });
}

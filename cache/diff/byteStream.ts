/** Bytes of a stream in order, null at its end. A chunk is only valid until the next call. */
export type ChunkSource = () => Buffer | null;

/** Reads of exact lengths from chunks of any size. What is returned is only valid until the next call. */
export interface ByteStream {
  /** Unread bytes of the current chunk, at least one; null at the end of the source. */
  peek(): Buffer | null;
  /** Takes the first `length` of the peeked bytes. */
  take(length: number): Buffer;
  /** @throws what `truncated` makes when the source ends before; so do the following */
  readSome(max: number): Buffer;
  readExactly(length: number): Buffer;
  skip(length: number): void;
  /** Bytes that were taken so far. */
  position(): number;
}

/** `onBytes` sees every chunk before anything of it is returned; `truncated` makes the error for an early end. */
export function createByteStream(
  source: ChunkSource, truncated: () => Error, onBytes: (chunk: Buffer) => void = () => undefined,
): ByteStream {
  let chunk: Buffer = Buffer.alloc(0);
  let at = 0;
  let before = 0; // bytes of earlier chunks

  function fill(): boolean {
    while (at === chunk.length) {
      const more = source();
      if (more === null) return false;
      onBytes(more);
      before += chunk.length;
      chunk = more;
      at = 0;
    }
    return true;
  }

  function take(length: number): Buffer {
    at += length;
    return chunk.subarray(at - length, at);
  }

  function readSome(max: number): Buffer {
    if (!fill()) throw truncated();
    return take(Math.min(chunk.length - at, max));
  }

  function readExactly(length: number): Buffer {
    if (length <= chunk.length - at) return take(length);
    const whole = Buffer.allocUnsafe(length);
    for (let done = 0; done < length; ) done += readSome(length - done).copy(whole, done);
    return whole;
  }

  function skip(length: number): void {
    for (let left = length; left > 0; ) left -= readSome(left).length;
  }

  return { peek: () => (fill() ? chunk.subarray(at) : null), take, readSome, readExactly, skip, position: () => before + at };
}

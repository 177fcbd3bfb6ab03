import { Duplex } from "node:stream";

/** A message of a byte stream. */
export interface BytesMessage {
  readonly data: Uint8Array;
}

/** The most bytes of one message. BuildKit reads as much at once. */
const CHUNK = 32 * 1024;

/** The byte stream that messages of a call are, and the messages that are to be sent of it. */
export function byteStream(requests: AsyncIterable<BytesMessage>): { readonly stream: Duplex; readonly responses: AsyncIterable<BytesMessage> } {
  const reader = requests[Symbol.asyncIterator]();
  const outgoing = outgoingBytes();
  const stream = new Duplex({
    read() {
      next(reader).then((data) => this.push(data), (error: unknown) => this.destroy(error as Error));
    },
    write(chunk: Buffer, _encoding, done) {
      outgoing.add(chunk, done);
    },
    final(done) {
      outgoing.end();
      done();
    },
    destroy(error, done) {
      outgoing.end();
      done(error);
    },
  });
  return { stream, responses: outgoing.messages() };
}

/** Null at the end. An empty chunk is passed over: it would not count as an answer to a read. */
async function next(reader: AsyncIterator<BytesMessage>): Promise<Uint8Array | null> {
  for (;;) {
    const { done, value } = await reader.next();
    if (done === true) return null;
    if (value.data.length > 0) return value.data;
  }
}

interface OutgoingBytes {
  /** `taken` is called when the chunk has been sent, and only then may the next one be added. */
  add(chunk: Uint8Array, taken: () => void): void;
  end(): void;
  messages(): AsyncIterable<BytesMessage>;
}

function outgoingBytes(): OutgoingBytes {
  let waiting: { readonly chunk: Uint8Array; taken(): void } | null = null;
  let ended = false;
  let wake = (): void => {};

  async function* messages(): AsyncGenerator<BytesMessage> {
    for (;;) {
      if (waiting === null && ended) return;
      if (waiting === null) {
        await new Promise<void>((resolve) => (wake = resolve));
        continue;
      }
      const { chunk, taken } = waiting;
      for (let at = 0; at < chunk.length; at += CHUNK) yield { data: chunk.subarray(at, at + CHUNK) };
      waiting = null;
      taken();
    }
  }
  return {
    add(chunk, taken) {
      waiting = { chunk, taken };
      wake();
    },
    end() {
      ended = true;
      wake();
    },
    messages,
  };
}

import { TbuildError } from "../../cache/errors.js";

const HEADER = 5;

/** Largest message that is taken from a client; what it may be sent is as much. Source: containerd, defaults. */
export const MAX_MESSAGE = 16 * 1024 * 1024;

/** What goes before a message of `length` bytes. Source: gRPC, doc/PROTOCOL-HTTP2.md "Length-Prefixed-Message". */
export function frameHeader(length: number): Buffer {
  const header = Buffer.allocUnsafe(HEADER);
  header[0] = 0;
  header.writeUInt32BE(length, 1);
  return header;
}

/** Cuts a stream of bytes into messages. */
export interface FrameReader {
  /**
   * The messages that are complete now; they may be views of `chunk`. @throws {TbuildError} unsupported, resource_exhausted
   */
  push(chunk: Buffer): readonly Uint8Array[];
  /** True when the last message has not come to its end. */
  pending(): boolean;
}

/** A reader for one call. A long message is put together once, when all of it is there. */
export function frameReader(): FrameReader {
  let held: Buffer[] = [];
  let heldBytes = 0;
  let wanted = HEADER;

  const messagesIn = (bytes: Buffer): readonly Uint8Array[] => {
    const messages: Uint8Array[] = [];
    let at = 0;
    for (;;) {
      wanted = HEADER;
      if (bytes.length - at < HEADER) break;
      wanted += lengthAt(bytes, at);
      if (bytes.length - at < wanted) break;
      messages.push(bytes.subarray(at + HEADER, at + wanted));
      at += wanted;
    }
    held = at === bytes.length ? [] : [bytes.subarray(at)];
    heldBytes = bytes.length - at;
    return messages;
  };
  return {
    push(chunk) {
      held.push(chunk);
      heldBytes += chunk.length;
      if (heldBytes < wanted) return [];
      return messagesIn(held.length === 1 ? chunk : Buffer.concat(held, heldBytes));
    },
    pending: () => heldBytes > 0,
  };
}

function lengthAt(bytes: Buffer, at: number): number {
  if (bytes[at] !== 0) throw new TbuildError("unsupported", "Cannot read a message of the client: it is compressed");
  const length = bytes.readUInt32BE(at + 1);
  if (length <= MAX_MESSAGE) return length;
  throw new TbuildError("resource_exhausted", `Cannot read a message of the client: it has ${length} bytes, of at most ${MAX_MESSAGE}`);
}

import { TbuildError } from "../../cache/errors.js";
import { type StatusInput, type StatusMessage, statusResponse } from "../api/status.js";

/** A message as logs have it: after its length in 4 bytes, the lowest first. */
export function statusFrame(message: StatusInput): Uint8Array {
  const bytes = statusResponse.encode(message);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** Takes a log apart, as its bytes come. */
export interface FrameReader {
  /** The messages that are complete with these bytes. */
  read(chunk: Uint8Array): readonly StatusMessage[];
  /** Bytes of a message that is not complete yet. */
  rest(): number;
}

/** Nothing read yet. */
export function frameReader(): FrameReader {
  let rest = Buffer.alloc(0);
  return {
    read(chunk) {
      rest = Buffer.concat([rest, chunk]);
      const messages: StatusMessage[] = [];
      for (let end = frameEnd(rest); end !== null; end = frameEnd(rest)) {
        messages.push(statusResponse.decode(rest.subarray(4, end)));
        rest = rest.subarray(end);
      }
      return messages;
    },
    rest: () => rest.length,
  };
}

function frameEnd(bytes: Buffer): number | null {
  if (bytes.length < 4) return null;
  const end = 4 + bytes.readUInt32LE(0);
  return bytes.length < end ? null : end;
}

/** All messages of a log. @throws {TbuildError} corrupt when it ends within one */
export async function* readFrames(chunks: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<StatusMessage> {
  const reader = frameReader();
  for await (const chunk of chunks) yield* reader.read(chunk);
  if (reader.rest() > 0) throw new TbuildError("corrupt", `Cannot read the log of a build: ${name} ends within a message`);
}

import type { ServerHttp2Stream } from "node:http2";
import type { Readable } from "node:stream";
import { cancelled, TbuildError } from "../../../cache/errors.js";
import { status as statusMessage } from "../../api/common.js";
import { grpcCode, toStatus } from "../../api/errors.js";
import { frameHeader, frameReader } from "../../session/frames.js";
import type { RawCall } from "../../session/rawCall.js";

/** A call that the builder makes of this machine: the same as {@link RawCall}, seen from the other end. */
export interface ServedCall extends RawCall {
  /** Values of a header, each on its own. */
  header(name: string): readonly string[];
  /** Aborted when the builder has given the call up. */
  readonly signal: AbortSignal;
}

/** Answers a call. What it throws is told as a status. */
export type Answer = (call: ServedCall) => Promise<void>;

/**
 * Lets `answer` serve one stream. `headers` are names and values by turns. Never throws: what goes wrong is the call's, and told.
 */
export async function serveCall(stream: ServerHttp2Stream, headers: readonly string[], answer: Answer, onFailure: (error: unknown) => void): Promise<void> {
  const call = servedCall(stream, headers);
  stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
  const failure = await answer(call).then(() => null, (error: unknown) => ({ error }));
  if (failure !== null) onFailure(failure.error);
  call.end(failure);
}

interface EndingCall extends ServedCall {
  /** Ends the call, unless it is over: with an error, or well. */
  end(failure: { readonly error: unknown } | null): void;
}

function servedCall(stream: ServerHttp2Stream, headers: readonly string[]): EndingCall {
  const gone = new AbortController();
  let trailers: Record<string, string> = { "grpc-status": "0" };
  let ended = false;
  stream.on("wantTrailers", () => stream.sendTrailers(trailers));
  // Whoever sends or receives is told.
  stream.on("error", () => {});
  stream.on("close", () => void (ended || gone.abort(lost())));
  const end: EndingCall["end"] = (failure) => {
    if (ended) return;
    ended = true;
    if (failure !== null) trailers = failureTrailers(failure.error);
    stream.end();
  };
  return {
    header: (name) => headers.filter((_, index) => index % 2 === 1 && headers[index - 1] === name),
    signal: gone.signal,
    async send(messages) {
      if (stream.destroyed || ended) throw lost();
      stream.cork();
      for (const message of messages) {
        stream.write(frameHeader(message.length));
        stream.write(message);
      }
      stream.uncork();
      while (stream.writableNeedDrain && !stream.destroyed) await drained(stream);
      if (stream.destroyed) throw lost();
    },
    finish: () => end(null),
    received: received(stream, () => ended),
    // Only a status says that what was sent is not all.
    cancel: () => end({ error: cancelled() }),
    end,
  };
}

async function* received(stream: ServerHttp2Stream, isOver: () => boolean): AsyncGenerator<readonly Uint8Array[]> {
  const reader = frameReader();
  try {
    for await (const chunk of (stream as Readable).iterator({ destroyOnReturn: false })) {
      const messages = reader.push(chunk as Buffer);
      if (messages.length > 0) yield messages;
    }
  } catch (error) {
    if (!isOver()) throw error;
  }
  // What breaks off ends like what is complete, but that the stream is closed both ways.
  if (!isOver() && (stream.closed || stream.destroyed || reader.pending())) throw lost();
}

function drained(stream: ServerHttp2Stream): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      stream.off("drain", done).off("close", done);
      resolve();
    };
    stream.on("drain", done).on("close", done);
  });
}

function lost(): TbuildError {
  return new TbuildError("unavailable", "The builder has broken off the transfer");
}

/** Source: gRPC, doc/PROTOCOL-HTTP2.md "Responses". */
function failureTrailers(error: unknown): Record<string, string> {
  const { code, message, details } = toStatus(error);
  const shown = code === grpcCode.ok ? grpcCode.unknown : code;
  return {
    "grpc-status": String(shown),
    "grpc-message": encodeURIComponent(message),
    "grpc-status-details-bin": Buffer.from(statusMessage.encode({ code: shown, message, details })).toString("base64"),
  };
}

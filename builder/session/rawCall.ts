import { setMaxListeners } from "node:events";
import type { ClientHttp2Stream, OutgoingHttpHeaders } from "node:http2";
import type { Readable } from "node:stream";
import { setImmediate as turn } from "node:timers/promises";
import type { Opts } from "../../cache/content/store.js";
import { cancelled, TbuildError } from "../../cache/errors.js";
import { brokenCall, callError, type CallStatus, OK, statusIn } from "./callStatus.js";
import { frameHeader, frameReader } from "./frames.js";

/** Options of a call. */
export interface CallOpts extends Opts {
  /** Printable ASCII; a list is sent as so many headers of one name. */
  readonly metadata?: Readonly<Record<string, string | readonly string[]>> | undefined;
  /** The other end is told, and the call given up when it takes longer: unavailable. */
  readonly timeoutMs?: number | undefined;
}

/** One call, both ways at once. It ends when all that is `received` has been read, when that breaks off, or by `cancel`. */
export interface RawCall {
  /** Sends messages in order; settles when more may be sent. Later calls wait for earlier ones. @throws what `received` does */
  send(messages: readonly Uint8Array[]): Promise<void>;
  /** Nothing more will be sent. */
  finish(): void;
  /**
   * Messages as they arrive, some at a time; can be read once. Ends when the other end is done and content.
   * @throws {TbuildError} with the code of the other end's status, unavailable, cancelled
   */
  readonly received: AsyncIterable<readonly Uint8Array[]>;
  /** Breaks off, on both ends. Harmless when it is over. */
  cancel(): void;
}

/** What a call has come to. */
interface Progress {
  status: CallStatus | null;
  /** Why we gave it up. */
  failure: TbuildError | null;
  /** Waiting to send. */
  readonly waiting: Set<() => void>;
}

/**
 * Opens a stream, which `broken` resets. Closing one instead would end it first, and who reads the end alone, as BuildKit's
 * clients do, takes for whole what was cut.
 */
export type OpenStream = (headers: OutgoingHttpHeaders, broken: AbortSignal) => ClientHttp2Stream;

/** Starts a call; `closed` breaks it off with its reason. */
export function startCall(
  open: OpenStream,
  path: string,
  opts: CallOpts,
  closed: AbortSignal,
): RawCall {
  if (opts.signal?.aborted === true) throw cancelled(opts.signal);
  // A build makes many calls at a time.
  if (opts.signal !== undefined) setMaxListeners(0, opts.signal);
  const broken = new AbortController();
  const stream = opened(open, path, opts, broken.signal);
  const progress: Progress = { status: null, failure: null, waiting: new Set() };
  const fail = (failure: TbuildError): void => {
    progress.failure ??= failure;
    wake(progress);
    broken.abort();
  };
  follow(stream, progress, broken);
  limit(stream, path, opts, closed, fail);
  const outcome = (cause?: unknown): Error | null => {
    if (progress.status !== null) return progress.status.code === OK ? null : callError(path, progress.status);
    return progress.failure ?? brokenCall(path, "it broke off", cause);
  };
  return {
    async send(messages) {
      if (!isOpen(stream, progress)) throw outcome() ?? brokenCall(path, "it is over");
      write(stream, messages);
      while (stream.writableNeedDrain && isOpen(stream, progress)) await changeOf(progress);
      if (!isOpen(stream, progress)) throw outcome() ?? brokenCall(path, "it is over");
    },
    finish: () => void stream.end(),
    received: receive(stream, outcome, progress, broken),
    cancel: () => fail(cancelled()),
  };
}

function opened(open: OpenStream, path: string, opts: CallOpts, broken: AbortSignal): ClientHttp2Stream {
  try {
    const headers = {
      ":method": "POST",
      ":path": path,
      ":authority": "localhost",
      "content-type": "application/grpc",
      te: "trailers",
      "user-agent": "tbuild",
      ...(opts.timeoutMs === undefined ? {} : { "grpc-timeout": `${Math.ceil(opts.timeoutMs)}m` }),
      ...(opts.metadata as OutgoingHttpHeaders | undefined),
    };
    return open(headers, broken);
  } catch (cause) {
    throw brokenCall(path, (cause as Error).message, cause);
  }
}

function follow(stream: ClientHttp2Stream, progress: Progress, broken: AbortController): void {
  const see = (headers: Parameters<typeof statusIn>[0]): void => {
    progress.status ??= statusIn(headers);
    if (progress.status !== null) wake(progress);
  };
  stream.on("response", (headers) => {
    see(headers);
    // Not even gRPC at the other end: without a status, the error will say that it broke off.
    if (headers[":status"] !== 200) broken.abort();
  });
  stream.on("trailers", see);
  stream.on("drain", () => wake(progress));
  stream.on("close", () => wake(progress));
  // Whoever sends or receives is told.
  stream.on("error", () => wake(progress));
}

function limit(
  stream: ClientHttp2Stream,
  path: string,
  { signal, timeoutMs }: CallOpts,
  closed: AbortSignal,
  fail: (error: TbuildError) => void,
): void {
  const late = () => fail(brokenCall(path, `no answer within ${timeoutMs} ms`));
  const timer = timeoutMs === undefined ? undefined : setTimeout(late, timeoutMs);
  const onAbort = () => fail(cancelled(signal));
  const onClosed = () => fail(closed.reason as TbuildError);
  signal?.addEventListener("abort", onAbort);
  closed.addEventListener("abort", onClosed);
  stream.on("close", () => {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
    closed.removeEventListener("abort", onClosed);
  });
}

function isOpen(stream: ClientHttp2Stream, { status, failure }: Progress): boolean {
  return status === null && failure === null && !stream.destroyed && !stream.closed;
}

function wake({ waiting }: Progress): void {
  for (const go of waiting) go();
}

async function changeOf({ waiting }: Progress): Promise<void> {
  let go = () => {};
  const change = new Promise<void>((resolve) => (go = resolve));
  waiting.add(go);
  await change;
  waiting.delete(go);
}

function write(stream: ClientHttp2Stream, messages: readonly Uint8Array[]): void {
  stream.cork();
  for (const message of messages) {
    stream.write(frameHeader(message.length));
    stream.write(message);
  }
  stream.uncork();
}

async function* receive(
  stream: ClientHttp2Stream,
  outcome: (cause?: unknown) => Error | null,
  progress: Progress,
  broken: AbortController,
): AsyncGenerator<readonly Uint8Array[]> {
  const reader = frameReader();
  let cause: unknown;
  let over = false;
  const chunks = (stream as Readable).iterator({ destroyOnReturn: false });
  try {
    for (;;) {
      const next = await chunks.next().catch((error: unknown) => void (cause = error));
      over = next === undefined || next.done === true;
      if (over) break;
      const messages = reader.push(next!.value as Buffer);
      if (messages.length > 0) yield messages;
    }
  } finally {
    // The loop was left early, perhaps because a message cannot be read.
    if (!over) broken.abort();
  }
  // The end of the data may be told before the trailers that came with it.
  if (progress.status === null && cause === undefined) await turn();
  stream.end();
  const error = outcome(cause) ?? (reader.pending() ? new TbuildError("corrupt", "A message of the client is cut short") : null);
  if (error !== null) throw error;
}

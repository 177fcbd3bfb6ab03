import type { EventEmitter } from "node:events";
import type { Readable } from "node:stream";
import * as grpc from "@grpc/grpc-js";
import { TbuildError } from "../../cache/errors.js";
import { status as statusMessage, type Status } from "../api/common.js";
import { toStatus } from "../api/errors.js";
import { type AnyMethod, methodPath, type Service, type ServiceMethod } from "../api/service.js";
import type { Message } from "../api/schema.js";

/** What a handler knows of the call that it answers. */
export interface Call {
  /** Headers of the request by their name in lower case. Node joins the values of one that is there several times: "a, b". */
  readonly headers: Readonly<Record<string, string>>;
  /** Sends response headers, which otherwise go out with the first response. */
  sendHeaders(headers: Readonly<Record<string, string>>): void;
  /** Aborted when the client has gone, or is not waiting any more. */
  readonly signal: AbortSignal;
}

/** How a method is answered. Errors are sent as statuses; see {@link toStatus} and {@link StatusError}. */
export type Handler<M> =
  M extends ServiceMethod<infer K, infer Q, infer _QW, infer _S, infer SW>
    ? {
        unary: (request: Q, call: Call) => Promise<SW> | SW;
        "server-stream": (request: Q, call: Call) => AsyncIterable<SW>;
        "client-stream": (requests: AsyncIterable<Q>, call: Call) => Promise<SW>;
        bidi: (requests: AsyncIterable<Q>, call: Call) => AsyncIterable<SW>;
      }[K]
    : never;

/** Handlers of the methods that are answered; a client hears of the others that they are unimplemented. */
export type Handlers<M extends Readonly<Record<string, AnyMethod>>> = { readonly [N in keyof M]?: Handler<M[N]> };

/** An error that already has its status, with details. */
export class StatusError extends Error {
  readonly status: Status;

  constructor(status: Status, cause: unknown) {
    super(status.message, { cause });
    this.status = status;
  }
}

/** Hears of every call that failed, with the method's path. */
export type OnError = (path: string, error: unknown) => void;

/** Answers a service on `server`. */
export function addService<M extends Readonly<Record<string, AnyMethod>>>(
  server: grpc.Server,
  service: Service<M>,
  handlers: Handlers<M>,
  onError: OnError,
): void {
  for (const [name, method] of Object.entries(service.methods)) {
    const handler = handlers[name] as Answer | undefined;
    if (handler === undefined) continue;
    const path = methodPath(service, name);
    const definition = {
      path,
      requestStream: method.kind === "client-stream" || method.kind === "bidi",
      responseStream: method.kind === "server-stream" || method.kind === "bidi",
      requestSerialize: serializer(method.request as Message<unknown, unknown>),
      requestDeserialize: (bytes: Buffer) => bytes,
      responseSerialize: serializer(method.response as Message<unknown, unknown>),
      responseDeserialize: (bytes: Buffer) => bytes,
    };
    const decode = (bytes: Buffer) => decodeRequest(path, method, bytes);
    const refuse = (error: unknown) => {
      onError(path, error);
      return grpcError(error);
    };
    server.addService({ [name]: definition }, { [name]: implementation(method, { decode, answer: handler, refuse }) });
  }
}

type Answer = (request: unknown, call: Call) => unknown;

interface Answering {
  decode(bytes: Buffer): unknown;
  readonly answer: Answer;
  /** The error as the client hears of it. */
  refuse(error: unknown): Refusal;
}

interface Refusal {
  readonly code: number;
  readonly details: string;
  readonly metadata: grpc.Metadata;
}

type UnaryCall = grpc.ServerUnaryCall<Buffer, unknown>;
type ReadableCall = grpc.ServerReadableStream<Buffer, unknown>;
type Stream = grpc.ServerDuplexStream<Buffer, unknown>;
type Writable = grpc.ServerWritableStream<Buffer, unknown> | Stream;

function serializer(message: Message<unknown, unknown>): (value: unknown) => Buffer {
  return (value) => {
    const bytes = message.encode(value);
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  };
}

function decodeRequest(path: string, method: AnyMethod, bytes: Buffer): unknown {
  try {
    return method.request.decode(bytes) as unknown;
  } catch (cause) {
    throw new TbuildError("invalid_argument", `Cannot read the request of ${path}: ${(cause as Error).message}`, { cause });
  }
}

function implementation({ kind }: AnyMethod, { decode, answer, refuse }: Answering): grpc.UntypedHandleCall {
  switch (kind) {
    case "unary":
      return (call: UnaryCall, done: grpc.sendUnaryData<unknown>) =>
        settle(call, async (context) => await answer(decode(call.request), context), { done, refuse });
    case "client-stream":
      return (call: ReadableCall, done: grpc.sendUnaryData<unknown>) =>
        settle(call, async (context) => await answer(decoded(call, decode), context), { done, refuse });
    case "server-stream":
      return (call: grpc.ServerWritableStream<Buffer, unknown>) =>
        void stream(call, (context) => answer(decode(call.request), context) as AsyncIterable<unknown>, refuse);
    case "bidi":
      return (call: Stream) => void stream(call, (context) => answer(decoded(call, decode), context) as AsyncIterable<unknown>, refuse);
  }
}

interface Settling extends Pick<Answering, "refuse"> {
  readonly done: grpc.sendUnaryData<unknown>;
}

function settle(call: UnaryCall | ReadableCall, work: (call: Call) => Promise<unknown>, { done, refuse }: Settling): void {
  const { context } = contextOf(call);
  // In a microtask of its own, so that what a handler throws at once is answered as well.
  Promise.resolve(context).then(work).then(
    (value) => done(null, value),
    (error: unknown) => done(refuse(error)),
  );
}

async function stream(call: Writable, work: (call: Call) => AsyncIterable<unknown>, refuse: Answering["refuse"]): Promise<void> {
  const { context, gone } = contextOf(call);
  try {
    for await (const value of work(context)) {
      if (context.signal.aborted) return;
      if (!call.write(value)) await Promise.race([drained(call), gone]);
    }
    call.end();
  } catch (error) {
    call.emit("error", refuse(error));
  }
}

function drained(call: Writable): Promise<void> {
  return new Promise((resolve) => void call.once("drain", resolve));
}

async function* decoded(call: Readable, decode: (bytes: Buffer) => unknown): AsyncIterable<unknown> {
  // The end of what the client sends is not the end of what it hears.
  for await (const bytes of call.iterator({ destroyOnReturn: false })) yield decode(bytes as Buffer);
}

type AnyCall = UnaryCall | ReadableCall | Writable;

function contextOf(call: AnyCall): { readonly context: Call; readonly gone: Promise<void> } {
  const abort = new AbortController();
  const gone = new Promise<void>((resolve) => {
    (call as EventEmitter).on("cancelled", () => {
      abort.abort();
      resolve();
    });
  });
  const context: Call = {
    headers: headersOf(call.metadata),
    sendHeaders(headers) {
      const metadata = new grpc.Metadata();
      for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
      call.sendMetadata(metadata);
    },
    signal: abort.signal,
  };
  return { context, gone };
}

function headersOf(metadata: grpc.Metadata): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(metadata.getMap()).map(([name, value]) => [name, String(value)]));
}

function grpcError(error: unknown): Refusal {
  const { code, message, details } = error instanceof StatusError ? error.status : toStatus(error);
  const metadata = new grpc.Metadata();
  metadata.set("grpc-status-details-bin", Buffer.from(statusMessage.encode({ code, message, details })));
  return { code, details: message, metadata };
}

import type { Message } from "./schema.js";

/** How many messages go each way. */
export type MethodKind = "unary" | "server-stream" | "client-stream" | "bidi";

/** One method of a gRPC service: how its messages are written and read. */
export interface ServiceMethod<K extends MethodKind, Q, QW, S, SW> {
  readonly kind: K;
  readonly request: Message<Q, QW>;
  readonly response: Message<S, SW>;
}

// oxlint-disable typescript/no-explicit-any -- nothing narrower takes every method, and gives its types back
/** A method of any shape. */
export type AnyMethod = ServiceMethod<MethodKind, any, any, any, any>;

/** A gRPC service: its full name, and its methods by name. */
export interface Service<M extends Readonly<Record<string, AnyMethod>>> {
  readonly name: string;
  readonly methods: M;
}

/** A service of these methods. */
export function service<M extends Readonly<Record<string, AnyMethod>>>(name: string, methods: M): Service<M> {
  return { name, methods };
}

/** The name of a method on the wire: "/moby.buildkit.v1.Control/Info". */
export function methodPath(service: { readonly name: string }, method: string): string {
  return `/${service.name}/${method}`;
}

/** One request, one response. */
export function unary<Q, QW, S, SW>(request: Message<Q, QW>, response: Message<S, SW>): ServiceMethod<"unary", Q, QW, S, SW> {
  return { kind: "unary", request, response };
}

/** One request, many responses. */
export function serverStream<Q, QW, S, SW>(request: Message<Q, QW>, response: Message<S, SW>): ServiceMethod<"server-stream", Q, QW, S, SW> {
  return { kind: "server-stream", request, response };
}

/** Many requests, one response. */
export function clientStream<Q, QW, S, SW>(request: Message<Q, QW>, response: Message<S, SW>): ServiceMethod<"client-stream", Q, QW, S, SW> {
  return { kind: "client-stream", request, response };
}

/** Many of both, independently. */
export function bidi<Q, QW, S, SW>(request: Message<Q, QW>, response: Message<S, SW>): ServiceMethod<"bidi", Q, QW, S, SW> {
  return { kind: "bidi", request, response };
}

import { TbuildError } from "../../cache/errors.js";
import { status as statusMessage, type Status } from "../api/common.js";
import type { Decoded, Encodable } from "../api/schema.js";
import { type AnyMethod, methodPath, type Service } from "../api/service.js";
import { callStatusOf } from "../session/callStatus.js";
import type { CallOpts, RawCall } from "../session/rawCall.js";
import { openTunnel } from "../session/tunnel.js";
import { type BuilderPlace, connect } from "./connect.js";
import type { Opts } from "../../cache/content/store.js";

type Methods = Readonly<Record<string, AnyMethod>>;

/** Calls of a builder, by the tables of its services. Disposing closes the connection. */
export interface Connection extends Disposable {
  /** The builder as the user names it. */
  readonly shown: string;
  /** One request, one response. @throws {RemoteError} what the builder answers instead, {TbuildError} unavailable, cancelled */
  ask<M extends Methods, N extends keyof M & string>(service: Service<M>, method: N, request: Encodable<M[N]["request"]>, opts: CallOpts): Promise<Decoded<M[N]["response"]>>;
  /** One request, responses as they come. @throws as ask */
  listen<M extends Methods, N extends keyof M & string>(
    service: Service<M>,
    method: N,
    request: Encodable<M[N]["request"]>,
    opts: CallOpts,
  ): AsyncIterable<Decoded<M[N]["response"]>>;
  /** A call of messages both ways. */
  call<M extends Methods>(service: Service<M>, method: keyof M & string, opts: CallOpts): RawCall;
  /** Aborted when the connection is gone. */
  readonly closed: AbortSignal;
  /** What to say of a connection that is gone and never had an answer; null when it had one. */
  unanswered(): TbuildError | null;
}

/** A call that the builder answered with a status that is not ok. */
export class RemoteError extends Error {
  readonly status: Status;

  constructor(status: Status, cause: unknown) {
    super(status.message, { cause });
    this.status = status;
  }
}

/** Connects to a builder. @throws {TbuildError} unavailable, unauthorized, cancelled */
export async function openConnection(place: BuilderPlace, opts: Opts): Promise<Connection> {
  const { address, shown } = place;
  const tunnel = openTunnel(await connect(place, opts));
  const authority = address.kind === "tcp" ? `${place.tls?.serverName ?? address.host}:${address.port}` : "localhost";
  const call = (path: string, callOpts: CallOpts): RawCall =>
    tunnel.call(path, { ...callOpts, metadata: { ":authority": authority, ...callOpts.metadata } });
  let heard: "nothing" | "answers" = "nothing";
  const connection: Connection = {
    shown,
    unanswered: () => (heard === "nothing" ? neverAnswered(place, tunnel.closed.reason) : null),
    closed: tunnel.closed,
    call: (service, method, callOpts) => call(methodPath(service, method), callOpts),
    async ask(service, method, request, callOpts) {
      for await (const answer of connection.listen(service, method, request, callOpts)) return answer;
      throw new TbuildError("corrupt", `Cannot ask the builder "${shown}": ${method} gave no answer`);
    },
    async *listen(service, method, request, callOpts) {
      const to = service.methods[method]!;
      try {
        const running = call(methodPath(service, method), callOpts);
        await running.send([to.request.encode(request)]).catch(() => {});
        running.finish();
        for await (const messages of running.received) {
          heard = "answers";
          for (const message of messages) yield to.response.decode(message) as never;
        }
      } catch (error) {
        throw remoteError(error, connection);
      }
    },
    [Symbol.dispose]: () => tunnel[Symbol.dispose](),
  };
  return connection;
}

function neverAnswered({ address, shown, tls }: BuilderPlace, cause: unknown): TbuildError {
  const hint = address.kind === "tcp" ? hintOf(tls) : "Is it tbuildd or buildkitd that listens there?";
  return new TbuildError("unavailable", `Cannot talk to the builder "${shown}": it hung up without an answer`, { cause, hint });
}

// A server refuses certificates after the client's handshake, and need not say so.
function hintOf(tls: BuilderPlace["tls"]): string {
  if (tls === null) return "A builder that wants TLS needs --tlscacert, --tlscert and --tlskey";
  if (tls.cert === undefined) return "A builder that asks for a certificate needs --tlscert and --tlskey";
  return "Does it trust the certificate of --tlscert, and is it tbuildd or buildkitd that listens there?";
}

function remoteError(error: unknown, { shown, closed, unanswered }: Connection): unknown {
  const status = callStatusOf(error);
  if (status !== null) return new RemoteError(fullStatus(status), error);
  if (!closed.aborted) return error;
  return unanswered() ?? new TbuildError("unavailable", `Lost the connection to the builder "${shown}"`, { cause: closed.reason });
}

function fullStatus({ code, message, details }: { readonly code: number; readonly message: string; readonly details: Uint8Array | null }): Status {
  try {
    if (details !== null) return { ...statusMessage.decode(details), code, message };
  } catch {
    // What the details say is only more than the message.
  }
  return { code, message, details: [] };
}

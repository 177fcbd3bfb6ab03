import { setMaxListeners } from "node:events";
import http2, { type ClientHttp2Session } from "node:http2";
import type { Duplex } from "node:stream";
import { isTbuildError, TbuildError } from "../../cache/errors.js";
import { bufferedPipe } from "./bufferedPipe.js";
import { brokenCall } from "./callStatus.js";
import { type CallOpts, type RawCall, startCall } from "./rawCall.js";

/**
 * The daemon's end of a client's session. The client serves HTTP/2 over a pipe of bytes, and we are its client.
 *
 * ```ts
 * using tunnel = openTunnel(pipe);
 * const call = tunnel.call("/moby.upload.v1.Upload/Pull", { metadata: { urlpath: "/x" }, signal });
 * call.finish();
 * for await (const messages of call.received) …;
 * ```
 */
export interface Tunnel extends Disposable {
  /** Starts a call of "/package.Service/Method". @throws {TbuildError} unavailable once the tunnel is closed, cancelled */
  call(path: string, opts: CallOpts): RawCall;
  /** Aborted when either end has closed the tunnel; its reason is an error of code unavailable. */
  readonly closed: AbortSignal;
  /** Breaks off all calls with this error. Closing twice is harmless. */
  close(reason: TbuildError): void;
}

// Enough for a slow and wide line; one call that nobody reads holds back no more than this, and no other call.
const STREAM_WINDOW = 1 << 20;
const CONNECTION_WINDOW = 16 << 20;
/** What waits to be written to the pipe. */
const WRITE_BUFFER = 16 << 20;
/** Node refuses further calls when those that nobody reads hold more than this. */
const SESSION_MIB = 256;
/** Patterns of a large ignore file travel as headers. */
const MAX_HEADERS = 16 << 20;

/** A tunnel over `carrier`, which it owns and destroys. */
export function openTunnel(carrier: Duplex): Tunnel {
  const pipe = bufferedPipe(carrier, WRITE_BUFFER);
  const closed = new AbortController();
  // One for each call.
  setMaxListeners(0, closed.signal);
  const session = http2.connect("http://localhost", {
    createConnection: () => pipe,
    maxSendHeaderBlockLength: MAX_HEADERS,
    maxSessionMemory: SESSION_MIB,
    settings: { enablePush: false, initialWindowSize: STREAM_WINDOW },
  });
  const close = (reason: TbuildError): void => {
    if (closed.signal.aborted) return;
    closed.abort(reason);
    session.destroy();
    pipe.destroy();
  };
  watch(session, pipe, (cause) => close(gone(cause)));
  return {
    closed: closed.signal,
    close,
    call(path, opts) {
      if (closed.signal.aborted) throw brokenCall(path, "its session is closed", closed.signal.reason);
      return startCall((headers, signal) => session.request(headers, { signal }), path, opts, closed.signal);
    },
    [Symbol.dispose]: () => close(gone(undefined)),
  };
}

function watch(session: ClientHttp2Session, pipe: Duplex, onEnd: (cause: unknown) => void): void {
  session.on("connect", () => void (session.destroyed || session.setLocalWindowSize(CONNECTION_WINDOW)));
  session.on("error", onEnd);
  session.on("goaway", () => onEnd(undefined));
  session.on("close", () => onEnd(undefined));
  pipe.on("error", onEnd);
  pipe.on("end", () => onEnd(undefined));
  pipe.on("close", () => onEnd(undefined));
}

function gone(cause: unknown): TbuildError {
  if (isTbuildError(cause)) return cause;
  return new TbuildError("unavailable", "The client has closed its session", { cause });
}

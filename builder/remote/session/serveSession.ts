import http2, { type IncomingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import type { Duplex } from "node:stream";
import { TbuildError } from "../../../cache/errors.js";
import type { Method } from "../../api/method.js";
import { bufferedPipe } from "../../session/bufferedPipe.js";
import { type Answer, serveCall, type ServedCall } from "./servedCall.js";

/** What a builder may ask of this machine while it builds, by "/package.Service/Method". Nothing else is answered. */
export type Offers = Readonly<Record<string, Answer>>;

const WRITE_BUFFER = 16 << 20;
const STREAM_WINDOW = 1 << 20;
const CONNECTION_WINDOW = 16 << 20;
/** Patterns of a large ignore file travel as headers. */
const MAX_HEADERS = 16 << 20;

/** Serves HTTP/2 on a pipe of bytes, whose other end is the client that asks; hears why calls fail. Disposing ends all calls. */
export function serveSession(pipe: Duplex, offers: Offers, onFailure: (error: unknown) => void = () => {}): Disposable {
  const carrier = bufferedPipe(pipe, WRITE_BUFFER);
  const session = http2.performServerHandshake(carrier, {
    maxHeaderListPairs: MAX_HEADERS,
    maxSessionMemory: 256,
    settings: { initialWindowSize: STREAM_WINDOW, maxHeaderListSize: MAX_HEADERS },
  });
  session.on("stream", (...[stream, headers, , raw]: StreamEvent) => {
    const path = String(headers[":path"]);
    const answer = (Object.hasOwn(offers, path) && offers[path]) || (() => Promise.reject(unknownMethod(path)));
    void serveCall(stream, raw, answer, onFailure);
  });
  // Who waits for the build hears that its connection is gone.
  session.on("error", () => {});
  carrier.on("error", () => {});
  session.setLocalWindowSize(CONNECTION_WINDOW);
  return {
    [Symbol.dispose]() {
      session.destroy();
      carrier.destroy();
    },
  };
}

/** The types of Node leave the last one out. */
type StreamEvent = readonly [ServerHttp2Stream, IncomingHttpHeaders, number, ...(readonly string[][])] & { readonly 3: readonly string[] };

function unknownMethod(path: string): TbuildError {
  return new TbuildError("unsupported", `unknown method ${path}`);
}

/** A method with one question and one answer. */
export function answers<Q, QI, P, PI>(to: Method<Q, QI, P, PI>, answer: (request: Q, call: ServedCall) => PI | Promise<PI>): Offers {
  return {
    async [to.path](call) {
      for await (const messages of call.received) {
        for (const message of messages) return await call.send([to.response.encode(await answer(to.request.decode(message), call))]);
      }
    },
  };
}

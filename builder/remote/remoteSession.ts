import { randomUUID } from "node:crypto";
import { fromSystemError } from "../../cache/errors.js";
import { controlService } from "../api/control.js";
import { type BytesMessage, byteStream } from "../daemon/byteStream.js";
import type { RawCall } from "../session/rawCall.js";
import type { Connection } from "./connection.js";
import { healthOffers } from "./session/health.js";
import { type Offers, serveSession } from "./session/serveSession.js";

/** A session that a builder has with this process. Disposing ends it. */
export interface RemoteSession extends Disposable {
  readonly id: string;
  /** Why this process last failed at what the builder asked for; null when it has not. */
  failure(): unknown;
}

/** Opens a session in which the builder may ask for `offers`. Source: BuildKit, session/session.go. */
export function openRemoteSession(connection: Connection, offers: Offers, sharedKey: string): RemoteSession {
  const id = randomUUID();
  const all = { ...healthOffers, ...offers };
  const call = connection.call(controlService, "Session", {
    metadata: {
      "x-docker-expose-session-uuid": id,
      "x-docker-expose-session-name": "tbuild",
      "x-docker-expose-session-sharedkey": sharedKey,
      "x-docker-expose-session-grpc-method": Object.keys(all),
    },
  });
  const { stream, responses } = byteStream(messagesOf(call));
  // Whoever waits for the build hears that its connection is gone.
  stream.on("error", () => {});
  const sending = send(call, responses);
  let failure: unknown = null;
  const server = serveSession(stream, all, (error) => (failure = fromSystemError(error)));
  return {
    id,
    failure: () => failure,
    [Symbol.dispose]() {
      server[Symbol.dispose]();
      stream.destroy();
      call.cancel();
      void sending;
    },
  };
}

const { request, response } = controlService.methods.Session;

async function* messagesOf(call: RawCall): AsyncGenerator<BytesMessage> {
  try {
    for await (const messages of call.received) for (const message of messages) yield response.decode(message);
  } catch {
    // The end of the connection is the end of the stream.
  }
}

async function send(call: RawCall, messages: AsyncIterable<BytesMessage>): Promise<void> {
  try {
    for await (const message of messages) await call.send([request.encode(message)]);
    call.finish();
  } catch {
    call.cancel();
  }
}

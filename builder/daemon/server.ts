import { readFileSync } from "node:fs";
import type { Socket } from "node:net";
import { createServer as createTlsServer, type Server as TlsServer } from "node:tls";
import * as grpc from "@grpc/grpc-js";
import { TbuildError } from "../../cache/errors.js";
import type { ListenAddress } from "./address.js";
import { type Listener, listen, type SocketOwner } from "./listener.js";

/** PEM files of a daemon's TLS. With `ca`, clients must have a certificate of it. */
export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
  readonly ca: string | null;
}

/** Where and how a daemon listens. TLS is for all addresses but unix sockets. */
export interface ServeOptions {
  readonly addresses: readonly ListenAddress[];
  readonly owner: SocketOwner;
  readonly tls: TlsFiles | null;
}

/** A server that answers. */
export interface Serving {
  readonly addresses: readonly string[];
  /** Takes a connection of this process's own. */
  accept(connection: Socket): void;
  /** Takes no further connections. Those that there are stay: what runs on them may need further calls. */
  close(): void;
  /** After {@link Serving.close}: takes no further calls, waits for those under way, and after `graceMs` ends them. */
  shutDown(graceMs: number): Promise<void>;
}

/** The most bytes of one message, each way. Source: containerd's defaults, which BuildKit's clients use. */
const MAX_MESSAGE = 16 * 2 ** 20;

/** How much a client may send of one stream before it is read: contexts are large, and a unix socket is fast. */
const WINDOW = 4 * 2 ** 20;

/** A server without services yet. */
export function createServer(): grpc.Server {
  return new grpc.Server({
    "grpc.max_receive_message_length": MAX_MESSAGE,
    "grpc.max_send_message_length": MAX_MESSAGE,
    "grpc-node.flow_control_window": WINDOW,
  });
}

/**
 * Listens on all addresses, or on none. @throws {TbuildError} unavailable, permission_denied; not_found and invalid_argument
 * for PEM files
 */
export async function serve(server: grpc.Server, { addresses, owner, tls }: ServeOptions): Promise<Serving> {
  const plain = acceptor(server);
  const secure = tls === null ? plain : throughTls(tls, plain);
  const listeners: Listener[] = [];
  try {
    for (const address of addresses) listeners.push(await listen(address, owner, address.kind === "unix" ? plain : secure));
  } catch (error) {
    for (const listener of listeners) listener.close();
    throw error;
  }
  return {
    addresses: listeners.map(({ address }) => address),
    accept: plain,
    close: () => listeners.forEach((listener) => listener.close()),
    shutDown: (graceMs) => shutDown(server, graceMs),
  };
}

/** Sockets of our own instead of grpc's, which knows neither inherited ones nor who may open a unix socket. */
function acceptor(server: grpc.Server): (connection: Socket) => void {
  const injector = server.createConnectionInjector(grpc.ServerCredentials.createInsecure());
  return (connection) => {
    connection.on("error", () => connection.destroy());
    injector.injectConnection(connection);
  };
}

/** TLS of our own as well: buildx does not negotiate HTTP/2 (ALPN), it simply speaks it, and Node would hang up. */
function throughTls(files: TlsFiles, accept: (socket: Socket) => void): (socket: Socket) => void {
  const server = tlsServer(files).on("secureConnection", (socket) => {
    socket.alpnProtocol ||= "h2";
    accept(socket);
  });
  return (socket) => {
    socket.on("error", () => socket.destroy());
    server.emit("connection", socket);
  };
}

function tlsServer({ cert, key, ca }: TlsFiles): TlsServer {
  const own = { cert: pem(cert), key: pem(key), ALPNProtocols: ["h2"] };
  const clients = ca === null ? {} : { ca: pem(ca), requestCert: true, rejectUnauthorized: true };
  try {
    return createTlsServer({ ...own, ...clients });
  } catch (cause) {
    const files = [cert, key, ...(ca === null ? [] : [ca])].map((file) => `"${file}"`).join(", ");
    throw new TbuildError("invalid_argument", `Cannot use ${files} for TLS: ${(cause as Error).message}`, { cause });
  }
}

function pem(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new TbuildError("not_found", `Cannot read "${file}" for TLS: ${(cause as NodeJS.ErrnoException).code}`, { cause });
  }
}

async function shutDown(server: grpc.Server, graceMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<"late">((resolve) => (timer = setTimeout(() => resolve("late"), graceMs)));
  const ended = new Promise<"ended">((resolve) => server.tryShutdown(() => resolve("ended")));
  if ((await Promise.race([ended, late])) === "late") server.forceShutdown();
  clearTimeout(timer);
}

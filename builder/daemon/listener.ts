import { chmodSync, chownSync, lstatSync, mkdirSync, rmSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import path from "node:path";
import { TbuildError } from "../../cache/errors.js";
import { checkPassed, type ListenAddress } from "./address.js";

/** Who may use a unix socket, besides its owner: this group. */
export interface SocketOwner {
  /** Null: as the process has it. */
  readonly uid: number | null;
  readonly gid: number | null;
}

/** A socket that takes connections until it is closed. */
export interface Listener {
  /** As given, with the port that was chosen where it was 0: "tcp://127.0.0.1:4321". */
  readonly address: string;
  /** Takes no further connection, and removes the file of a unix socket. */
  close(): void;
}

/**
 * Listens, and hands each connection to `accept`. A unix socket's file that nobody listens on any more is replaced.
 * @throws {TbuildError} unavailable, permission_denied
 */
export async function listen(address: ListenAddress, owner: SocketOwner, accept: (socket: Socket) => void): Promise<Listener> {
  const server = createServer(accept);
  await bind(server, address, owner);
  return { address: addressOf(server, address), close: () => void server.close() };
}

async function bind(server: Server, address: ListenAddress, owner: SocketOwner): Promise<void> {
  switch (address.kind) {
    case "tcp":
      return await listening(server, { host: address.host === "" ? "::" : address.host, port: address.port }, `tcp://${address.host}:${address.port}`);
    case "fd":
      checkPassed(address.fd, process.env);
      return await listening(server, { fd: address.fd }, `fd://${address.fd}`);
    case "unix":
      mkdirSync(path.dirname(address.path), { recursive: true, mode: 0o711 });
      await removeStale(address.path);
      await listening(server, { path: address.path }, `unix://${address.path}`);
      chownSync(address.path, owner.uid ?? process.getuid?.() ?? 0, owner.gid ?? process.getgid?.() ?? 0);
      chmodSync(address.path, 0o660);
  }
}

/** @throws {TbuildError} unavailable when somebody listens there, already_exists when it is no socket */
async function removeStale(file: string): Promise<void> {
  const entry = lstatSync(file, { throwIfNoEntry: false });
  if (entry === undefined) return;
  if (!entry.isSocket()) throw new TbuildError("already_exists", `Cannot listen on "unix://${file}": it is no socket`, { hint: "Remove it, or give another --addr" });
  if (await answers(file)) {
    throw new TbuildError("unavailable", `Cannot listen on "unix://${file}": another process does`, { hint: "Give this daemon another --addr" });
  }
  rmSync(file, { force: true });
}

function answers(file: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(file);
    const settle = (alive: boolean) => {
      socket.destroy();
      resolve(alive);
    };
    socket.on("connect", () => settle(true)).on("error", () => settle(false));
  });
}

function listening(server: Server, where: { host: string; port: number } | { fd: number } | { path: string }, name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (cause: NodeJS.ErrnoException) => {
      const code = cause.code === "EACCES" || cause.code === "EPERM" ? "permission_denied" : "unavailable";
      reject(new TbuildError(code, `Cannot listen on "${name}": ${cause.code ?? cause.message}`, { cause }));
    };
    server.once("error", failed).listen(where, () => {
      server.off("error", failed);
      resolve();
    });
  });
}

function addressOf(server: Server, address: ListenAddress): string {
  if (address.kind === "unix") return `unix://${address.path}`;
  if (address.kind === "fd") return `fd://${address.fd}`;
  const bound = server.address();
  const port = typeof bound === "object" && bound !== null ? bound.port : address.port;
  return `tcp://${address.host.includes(":") ? `[${address.host}]` : address.host}:${port}`;
}

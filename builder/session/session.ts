import type { Duplex } from "node:stream";
import { TbuildError } from "../../cache/errors.js";
import type { Callee } from "./calls.js";
import { watchHealth } from "./health.js";
import type { SessionOffer } from "./sessionHeaders.js";
import { openTunnel } from "./tunnel.js";

/** A client that offers services while it builds. */
export interface Session extends Callee {
  readonly id: string;
  readonly sharedKey: string;
  /** True when the client offers this method ("/package.Service/Method", in any case of letters). */
  supports(path: string): boolean;
  /** Aborted when the session is over, with an error of code unavailable as its reason. Its build must end, too. */
  readonly closed: AbortSignal;
  /** Breaks off every call. Harmless when it is over. */
  close(): void;
}

/** The session that a client offers on `pipe`, which the session owns. A client that does not answer loses it. */
export function openSession(pipe: Duplex, { id, sharedKey, methods, health }: SessionOffer): Session {
  const tunnel = openTunnel(pipe);
  void watchHealth(tunnel, health, tunnel.closed, (error) => tunnel.close(error));
  return {
    id,
    sharedKey,
    supports: (path) => methods.has(path.toLowerCase()),
    call: (path, opts) => tunnel.call(path, opts),
    closed: tunnel.closed,
    close: () => tunnel.close(new TbuildError("unavailable", `The session "${id}" was closed`)),
  };
}

/** @throws {TbuildError} unsupported when the client does not offer the method; `wanted` says what for: "send files" */
export function requireMethod(session: Session, path: string, wanted: string): void {
  if (session.supports(path)) return;
  throw new TbuildError("unsupported", `Cannot ${wanted}: the client does not offer "${path}"`);
}

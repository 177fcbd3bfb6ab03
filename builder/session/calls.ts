import { TbuildError } from "../../cache/errors.js";
import type { Method } from "../api/method.js";
import type { CallOpts, RawCall } from "./rawCall.js";

/** Where calls go: a tunnel, or a session that has one. */
export interface Callee {
  /** See Tunnel.call. */
  call(path: string, opts: CallOpts): RawCall;
}

/** Asks once, and gives the one answer. @throws {TbuildError} with the code of the client's status, unavailable, cancelled */
export async function ask<Q, QI, P, PI>(callee: Callee, to: Method<Q, QI, P, PI>, request: QI, opts: CallOpts): Promise<P> {
  const call = callee.call(to.path, opts);
  // When it fails, what is received says why.
  await call.send([to.request.encode(request)]).catch(() => {});
  call.finish();
  const answers: Uint8Array[] = [];
  for await (const messages of call.received) answers.push(...messages);
  const [answer, more] = answers;
  if (answer !== undefined && more === undefined) return to.response.decode(answer);
  throw new TbuildError("corrupt", `Cannot call "${to.path}" of the client: it gave ${answers.length} answers`);
}

/**
 * Pieces of any size that fit into messages of a byte stream: large ones are cut. An engine's default limit of a message
 * is 4 MiB. Source: BuildKit, session/filesync/diffcopy.go.
 */
export function* pieces(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += MAX_PIECE) yield bytes.subarray(at, at + MAX_PIECE);
}

const MAX_PIECE = 3 * 1024 * 1024;

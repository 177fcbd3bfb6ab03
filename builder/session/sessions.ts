import type { Duplex } from "node:stream";
import type { Opts } from "../../cache/content/store.js";
import { cancelled, hasCode, TbuildError } from "../../cache/errors.js";
import { openSession, type Session } from "./session.js";
import type { SessionOffer } from "./sessionHeaders.js";

/** The sessions of all clients that are there now. */
export interface Sessions {
  /**
   * Serves a client's session until it is over, which is when this settles; it never rejects for what the client does.
   * @throws {TbuildError} already_exists, invalid_argument
   */
  serve(pipe: Duplex, offer: SessionOffer): Promise<void>;
  /**
   * The session of this id ("x:id" means "id"), which may still be about to come: it is waited for, 5 s unless told.
   * @throws {TbuildError} not_found, cancelled
   */
  get(id: string, opts: Opts & { readonly waitMs?: number }): Promise<Session>;
  /**
   * What `use` gives for the first of these sessions that can: what fails for one is asked of the next.
   * @throws {TbuildError} as the last one did; cancelled
   */
  any<T>(ids: readonly string[], opts: Opts, use: (session: Session) => Promise<T>): Promise<T>;
}

const WAIT_MS = 5_000;

/** No sessions yet. */
export function createSessions(): Sessions {
  const byId = new Map<string, Session>();
  const waiting = new Set<() => void>();

  async function get(id: string, { signal, waitMs = WAIT_MS }: Opts & { readonly waitMs?: number }): Promise<Session> {
    const plain = plainId(id);
    const until = performance.now() + waitMs;
    for (;;) {
      const found = byId.get(plain);
      if (found !== undefined) return found;
      if (signal?.aborted === true) throw cancelled(signal);
      const leftMs = until - performance.now();
      if (leftMs <= 0) throw new TbuildError("not_found", `Cannot find the session "${plain}": no client has opened it`);
      await changeWithin(leftMs, waiting, signal);
    }
  }

  return {
    async serve(pipe, offer) {
      refuse(offer, byId);
      const session = openSession(pipe, offer);
      byId.set(session.id, session);
      for (const go of waiting) go();
      await new Promise<void>((over) => {
        if (session.closed.aborted) over();
        session.closed.addEventListener("abort", () => over(), { once: true });
      });
      byId.delete(session.id);
    },
    get,
    async any(ids, opts, use) {
      let last: unknown = new TbuildError("not_found", "Cannot ask a client: the build has no session");
      for (const id of ids) {
        try {
          return await use(await get(id, opts));
        } catch (error) {
          if (hasCode(error, "cancelled") && opts.signal?.aborted === true) throw error;
          last = error;
        }
      }
      throw last;
    },
  };
}

/** A prefix keeps apart what different sources of one session are called. Source: BuildKit, session/manager.go "Get". */
function plainId(id: string): string {
  const after = id.slice(id.indexOf(":") + 1);
  return after === "" ? id : after;
}

function refuse({ id }: SessionOffer, byId: ReadonlyMap<string, Session>): void {
  if (id === "") throw new TbuildError("invalid_argument", "Cannot open a session that has no id");
  if (byId.has(id)) throw new TbuildError("already_exists", `Cannot open the session "${id}": there is one of this id`);
}

async function changeWithin(ms: number, waiting: Set<() => void>, signal: AbortSignal | undefined): Promise<void> {
  let go = () => {};
  const change = new Promise<void>((resolve) => (go = resolve));
  const timer = setTimeout(go, ms);
  waiting.add(go);
  signal?.addEventListener("abort", go);
  await change;
  clearTimeout(timer);
  waiting.delete(go);
  signal?.removeEventListener("abort", go);
}

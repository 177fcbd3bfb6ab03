import type { Opts } from "../../cache/content/store.js";
import { pullUpload } from "../api/session.js";
import { requireMethod, type Session } from "./session.js";

/** Where a context is that the client was given on its standard input. */
const HOST = "buildkit-session";

/** The id in "http://buildkit-session/<id>", or null for any other address. */
export function uploadIdOf(url: string): string | null {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  const id = parsed?.pathname.slice(1) ?? "";
  return parsed?.protocol === "http:" && parsed.host === HOST && id !== "" ? id : null;
}

/**
 * The bytes of an upload of the client, which can be read once. @throws {TbuildError} unsupported; while they are read
 * not_found, unavailable, cancelled
 */
export async function* pull(session: Session, id: string, opts: Opts): AsyncGenerator<Uint8Array> {
  requireMethod(session, pullUpload.path, "read the client's standard input");
  const call = session.call(pullUpload.path, { ...opts, metadata: { urlpath: `/${id}`, urlhost: HOST } });
  try {
    for await (const messages of call.received) {
      for (const message of messages) yield pullUpload.response.decode(message).data;
    }
    call.finish();
  } finally {
    call.cancel();
  }
}

import { TbuildError } from "../../../cache/errors.js";
import type { Session } from "../../session/session.js";
import type { Sessions } from "../../session/sessions.js";

/** The session that gives a directory or an image layout. @throws {TbuildError} invalid_argument when the build has none, not_found, cancelled */
export async function localSession(id: string, sessions: Sessions, signal: AbortSignal): Promise<Session> {
  if (id !== "") return await sessions.get(id, { signal });
  throw new TbuildError("invalid_argument", "Cannot read what the client has: the build has no session");
}

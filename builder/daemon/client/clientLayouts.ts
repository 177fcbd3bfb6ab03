import type { Opts } from "../../../cache/content/store.js";
import { createClientLayout } from "../../session/layoutClient.js";
import { clientContent } from "../../session/content.js";
import type { Session } from "../../session/session.js";
import type { Layouts } from "../../source/ociLayout.js";

/** Finds the session of this id; "" is the build's own. @throws {TbuildError} not_found, invalid_argument, cancelled */
type SessionOf = (id: string, opts: Opts) => Promise<Session>;

/** Image layouts of clients, by what these call them. They are gone with their client. */
export function clientLayouts(sessionOf: SessionOf): Layouts {
  return {
    lasting: false,
    open: async (store, session, opts) => createClientLayout(clientContent(await sessionOf(session, opts), `oci:${store}`)),
  };
}

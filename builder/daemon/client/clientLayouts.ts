import type { Opts } from "../../../cache/content/store.js";
import { createClientLayout } from "../../session/layoutClient.js";
import { clientContent } from "../../session/content.js";
import type { Layouts } from "../../source/ociLayout.js";
import type { Session } from "../../session/session.js";

/** Image layouts of clients, by what these call them. They are gone with their client. */
export function clientLayouts(sessionOf: (session: string, opts: Opts) => Promise<Session>): Layouts {
  return {
    lasting: false,
    open: async (store, session, opts) => createClientLayout(clientContent(await sessionOf(session, opts), `oci:${store}`)),
  };
}

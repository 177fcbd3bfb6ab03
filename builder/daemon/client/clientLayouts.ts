import { createClientLayout } from "../../session/layoutClient.js";
import { clientContent } from "../../session/content.js";
import type { Layouts } from "../../source/ociLayout.js";
import type { SessionOf } from "./clientDirectories.js";

/** Image layouts of clients, by what these call them. They are gone with their client. */
export function clientLayouts(sessionOf: SessionOf): Layouts {
  return {
    lasting: false,
    open: async (store, session, opts) => createClientLayout(clientContent(await sessionOf(session, opts), `oci:${store}`)),
  };
}

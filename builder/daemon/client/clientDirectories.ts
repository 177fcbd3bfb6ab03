import type { Store } from "../../../cache/store.js";
import { type SyncedDirectory, syncDirectory } from "../../session/fileSync.js";
import type { Session } from "../../session/session.js";
import type { Source } from "../../source/source.js";

/** What `local://` is for the build of a client. Disposing lets the copies be used by other builds. */
export interface ClientDirectories extends Disposable {
  readonly source: Source;
}

/** Finds the session that gives a directory; a step may say which it is. @throws {TbuildError} not_found, cancelled */
export type SessionOf = (local: string, session: string | undefined, signal: AbortSignal) => Promise<Session>;

/** Directories of a client, brought here when a step reads them, as far as it reads them; they stay as they are until the end. */
export function clientDirectories(store: Store, sessionOf: SessionOf): ClientDirectories {
  const open: SyncedDirectory[] = [];
  const source: Source = {
    schemes: ["local"],
    async resolve({ identifier, attrs }) {
      const name = identifier.slice("local://".length);
      return {
        pin: null,
        attributes: { directory: name },
        async snapshot({ signal, report }) {
          const session = await sessionOf(name, attrs["local.session"] || undefined, signal);
          const id = `transferring ${name}:`;
          const wanted = {
            name,
            sharedKeyHint: attrs["local.sharedkeyhint"] ?? name,
            exclude: list(attrs["local.excludepatterns"]),
            include: list(attrs["local.includepattern"]),
            followPaths: list(attrs["local.followpaths"]),
            differ: attrs["local.differ"] === "none" ? ("none" as const) : ("metadata" as const),
            onProgress: (bytes: number) => report.status(id, bytes, 0),
          };
          report.status(id, 0, 0);
          const directory = await syncDirectory(session, wanted, { root: store.root, pool: store.bulk }, { signal });
          open.push(directory);
          report.statusDone(id);
          // The client has left out what is ignored.
          return { kind: "directory", path: directory.path, ignore: [] };
        },
      };
    },
  };
  return {
    source,
    [Symbol.dispose]() {
      for (const directory of open) directory[Symbol.dispose]();
    },
  };
}

/** Attributes of lists are JSON. */
function list(text: string | undefined): readonly string[] {
  return text === undefined || text === "" ? [] : (JSON.parse(text) as readonly string[]);
}

import type { BulkPool } from "../../cache/bulk/pool.js";
import type { Opts } from "../../cache/content/store.js";
import { type LocalCopy, openLocalCopy } from "../../cache/localCopies.js";
import { syncFiles } from "../api/sessionFiles.js";
import { listMetadata } from "./headerLists.js";
import type { Differ } from "./incomingTree.js";
import { receiveTree } from "./receiveTree.js";
import { requireMethod, type Session } from "./session.js";

/** A directory of a client to bring here. Patterns are those of an ignore file. */
export interface SyncRequest {
  /** What the client calls it: "context". */
  readonly name: string;
  /** Tells apart copies of directories that have one name; see the attribute "local.sharedkeyhint". */
  readonly sharedKeyHint: string;
  readonly exclude: readonly string[];
  readonly include: readonly string[];
  /** Only these paths are wanted, and what links on their way lead to. */
  readonly followPaths: readonly string[];
  readonly differ: Differ;
  /** Called now and then with the bytes that came so far, lists of files included, and once at the end. */
  readonly onProgress?: ((bytes: number) => void) | undefined;
}

/** A directory of a client as it was when it was asked for. Nobody changes it until it is disposed. */
export interface SyncedDirectory extends LocalCopy {
  /** Bytes that had to be sent. */
  readonly received: number;
}

/** What a sync needs of the daemon. */
export interface SyncDeps {
  /** Root of the store, which keeps a copy for the next time. */
  readonly root: string;
  readonly pool: Pick<BulkPool, "run">;
}

/**
 * Brings a directory of the client here: what the last copy has already is not sent again. It is filtered by the client.
 * @throws {TbuildError} unsupported, not_found when the client does not give this directory, path_escape and corrupt when it
 * lies, unavailable, resource_exhausted, cancelled
 */
export async function syncDirectory(session: Session, request: SyncRequest, deps: SyncDeps, opts: Opts): Promise<SyncedDirectory> {
  requireMethod(session, syncFiles.path, `read the directory "${request.name}"`);
  const key = `${request.name}:${request.sharedKeyHint}:${session.sharedKey}`;
  const removeTree = async (path: string): Promise<void> => void (await deps.pool.run("removeTree", { path }));
  const copy = await openLocalCopy(deps.root, key, removeTree);
  try {
    return { path: copy.path, received: await receive(session, request, copy.path, deps, opts), [Symbol.dispose]: () => copy[Symbol.dispose]() };
  } catch (error) {
    copy[Symbol.dispose]();
    throw error;
  }
}

async function receive(session: Session, request: SyncRequest, path: string, { pool }: SyncDeps, { signal }: Opts): Promise<number> {
  const old = await pool.run("listTree", { path, xattrs: false }, { signal });
  const call = session.call(syncFiles.path, {
    signal,
    metadata: listMetadata({
      "dir-name": [request.name],
      "exclude-patterns": request.exclude,
      "include-patterns": request.include,
      followpaths: request.followPaths,
    }),
  });
  try {
    return await receiveTree(call, old, { pool, path, signal, ...request });
  } finally {
    call.cancel();
  }
}

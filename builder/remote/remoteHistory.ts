import type { Opts } from "../../cache/content/store.js";
import { TbuildError } from "../../cache/errors.js";
import { contentService } from "../api/content.js";
import { controlService } from "../api/control.js";
import { eventType } from "../api/history.js";
import type { BuildHistory, BuildHistoryRecord } from "../history/buildHistory.js";
import type { BuilderPlace } from "./connect.js";
import { type Connection, openConnection, RemoteError } from "./connection.js";
import { fromRemote } from "./remoteErrors.js";

/** The builds that a builder remembers. Disposing closes the connection. */
export interface RemoteHistory extends BuildHistory, Disposable {}

/** Connects to a builder for what it remembers. @throws {TbuildError} unavailable, unauthorized */
export async function openHistory(place: BuilderPlace, opts: Opts): Promise<RemoteHistory> {
  const connection = await openConnection(place, opts);
  return {
    name: `The builder "${place.shown}"`,
    list: (listOpts) => translated(connection, () => allRecords(connection, listOpts)),
    async *status(ref, statusOpts) {
      try {
        yield* connection.listen(controlService, "Status", { ref }, statusOpts);
      } catch (error) {
        throw local(error, connection);
      }
    },
    ended: (ref, endedOpts) => translated(connection, () => endedRecord(connection, ref, endedOpts)),
    async *read(digest, readOpts) {
      try {
        for await (const { data } of connection.listen(contentService, "Read", { digest }, readOpts)) yield data;
      } catch (error) {
        throw local(error, connection);
      }
    },
    remove: async (ref, removeOpts) =>
      void (await translated(connection, async () => await connection.ask(controlService, "UpdateBuildHistory", { ref, delete: true }, removeOpts))),
    [Symbol.dispose]: () => connection[Symbol.dispose](),
  };
}

async function allRecords(connection: Connection, opts: Opts): Promise<readonly BuildHistoryRecord[]> {
  const records: BuildHistoryRecord[] = [];
  for await (const { type, record } of connection.listen(controlService, "ListenBuildHistory", { earlyExit: true }, opts)) {
    if (record !== null && type !== eventType.deleted) records.push(record);
  }
  return records.sort((a, b) => (b.createdAt ?? 0) - (a.createdAt ?? 0));
}

async function endedRecord(connection: Connection, ref: string, opts: Opts): Promise<BuildHistoryRecord> {
  for await (const { type, record } of connection.listen(controlService, "ListenBuildHistory", { ref }, opts)) {
    if (type === eventType.complete && record !== null) return record;
    if (type === eventType.deleted) break;
  }
  throw new TbuildError("not_found", `Cannot find the build "${ref}": the builder "${connection.shown}" does not remember it`);
}

async function translated<T>(connection: Connection, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw local(error, connection);
  }
}

function local(error: unknown, { shown }: Connection): unknown {
  if (error instanceof RemoteError && error.status.message.startsWith("unknown method")) {
    return new TbuildError("unsupported", `The builder "${shown}" remembers no builds`, { cause: error });
  }
  return fromRemote(error, { fileOf: (name) => name, tailOf: () => [], logFileOf: () => null });
}

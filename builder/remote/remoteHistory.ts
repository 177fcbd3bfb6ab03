import type { Opts } from "../../cache/content/store.js";
import { TbuildError } from "../../cache/errors.js";
import type { Progress } from "../../solver/progress.js";
import { controlService } from "../api/control.js";
import { type buildHistoryRecord, eventType } from "../api/history.js";
import type { Decoded } from "../api/schema.js";
import type { BuilderPlace } from "./connect.js";
import { type Connection, openConnection, RemoteError } from "./connection.js";
import { fromRemote } from "./remoteErrors.js";
import { statusReader } from "./statusEvents.js";

/** A build that a builder remembers, or runs. Times in milliseconds since the epoch. */
export type BuildHistoryRecord = Decoded<typeof buildHistoryRecord>;

/** The builds that a builder remembers. Disposing closes the connection. */
export interface RemoteHistory extends Disposable {
  /** Newest first; filters are those of `docker buildx history ls`. @throws {TbuildError} invalid_argument, unsupported, unavailable */
  list(filters: readonly string[], opts: Opts): Promise<readonly BuildHistoryRecord[]>;
  /** The build whose ref begins so; "" is the last one. @throws {TbuildError} not_found, invalid_argument when there are several */
  find(ref: string, opts: Opts): Promise<BuildHistoryRecord>;
  /** What a build told, from its begin to its end; of one that runs, as it goes on. @throws {TbuildError} not_found, unavailable */
  events(ref: string, opts: Opts): AsyncIterable<Progress>;
  /** Forgets a build. @throws {TbuildError} not_found, unavailable */
  remove(ref: string, opts: Opts): Promise<void>;
}

/** Connects to a builder for what it remembers. @throws {TbuildError} unavailable, unauthorized */
export async function openHistory(place: BuilderPlace, opts: Opts): Promise<RemoteHistory> {
  const connection = await openConnection(place, opts);
  const list: RemoteHistory["list"] = async (filters, listOpts) => {
    const records: BuildHistoryRecord[] = [];
    const asked = { earlyExit: true, filter: filters };
    const events = connection.listen(controlService, "ListenBuildHistory", asked, listOpts);
    await translated(connection, async () => {
      for await (const { type, record } of events) if (record !== null && type !== eventType.deleted) records.push(record);
    });
    return records.sort((a, b) => (b.createdAt ?? 0) - (a.createdAt ?? 0));
  };
  return {
    list,
    find: async (ref, findOpts) => chosen(await list([], findOpts), ref, place.shown),
    async *events(ref, eventOpts) {
      const reader = statusReader((name) => name);
      try {
        for await (const message of connection.listen(controlService, "Status", { ref }, eventOpts)) yield* reader.read(message);
      } catch (error) {
        throw local(error, connection);
      }
    },
    remove: async (ref, removeOpts) =>
      void (await translated(connection, async () => await connection.ask(controlService, "UpdateBuildHistory", { ref, delete: true }, removeOpts))),
    [Symbol.dispose]: () => connection[Symbol.dispose](),
  };
}

function chosen(records: readonly BuildHistoryRecord[], ref: string, shown: string): BuildHistoryRecord {
  const found = records.filter((record) => record.ref.startsWith(ref));
  const exact = found.find((record) => record.ref === ref) ?? found[0];
  if (exact === undefined) {
    const message = ref === "" ? `The builder "${shown}" remembers no build` : `Cannot find the build "${ref}" on "${shown}"`;
    throw new TbuildError("not_found", message, { hint: "tbuild history ls lists those that it remembers" });
  }
  if (ref === "" || found.length === 1 || exact.ref === ref) return exact;
  throw new TbuildError("invalid_argument", `"${ref}" is the begin of ${found.length} builds`, { hint: "Give more of its ref" });
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

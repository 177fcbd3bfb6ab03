import { TbuildError } from "../../../cache/errors.js";
import type { MetaDb } from "../../../cache/meta/db.js";
import type { BuildRecord } from "../../../cache/meta/records.js";
import type { Store } from "../../../cache/store.js";
import { type BuildHistoryEventInput, type BuildHistoryRequest, eventType } from "../../api/history.js";
import type { Job } from "../jobs.js";
import type { BuildTrace } from "../operation/traces.js";
import { type BuildEnd, endFields } from "../../history/buildEnd.js";
import { eventQueue } from "./eventQueue.js";
import { queryRecords } from "../../history/recordFilter.js";
import { endLostBuilds } from "../../history/lostBuilds.js";
import { type BuildStart, recordMessage } from "../../history/recordMessage.js";
import { removeRecords } from "../../history/removeRecords.js";
import { expiredBuilds, type Retention } from "../../history/retention.js";
import { saveStatus } from "../../history/statusLog.js";
import { traceKeeper } from "./traceKeeper.js";

/** A build that is being recorded. */
export interface Recording {
  /**
   * Writes the record, after the build's log has ended. It is there, or not at all: also after a kill. Never throws: a record that
   * cannot be written fails no build.
   */
  end(end: BuildEnd): Promise<void>;
}

/** What else a history does. */
export interface HistoryHooks {
  /** Hears what keeps a build from being recorded. */
  readonly onError: (error: unknown) => void;
  /** Hears of every record that is written. */
  readonly onRecord?: ((record: BuildRecord) => void) | undefined;
}

/** The builds of clients, those that run and those that have ended. */
export interface History {
  begin(start: BuildStart, job: Pick<Job, "log" | "sources">, trace?: BuildTrace): Recording;
  find(ref: string): BuildRecord | undefined;
  /**
   * Builds that run, records, and then what happens until the signal aborts or the history is closed.
   * @throws {TbuildError} invalid_argument for its filters
   */
  listen(request: BuildHistoryRequest, signal: AbortSignal): AsyncIterable<BuildHistoryEventInput>;
  /** Keeps a record from {@link collect}, or does not any more. @throws {TbuildError} not_found */
  pin(ref: string, pinned: boolean): Promise<void>;
  /** @throws {TbuildError} not_found, unavailable while the build runs */
  remove(ref: string): Promise<void>;
  /** Adds to the record of a build that has ended what has come of its trace by now, and answers when it is there. */
  finalize(ref: string): Promise<void>;
  /** Removes what is older, or more, than is to be kept. */
  collect(): Promise<void>;
  /** Ends all listeners, and writes what is left to write. */
  close(): Promise<void>;
}

/** The history of the builds in `store`. */
export function openHistory(store: Store, retention: Retention, { onError, onRecord }: HistoryHooks): History {
  const { builds } = store.meta;
  const running = new Map<string, BuildStart>();
  const events = eventQueue<BuildHistoryEventInput>();
  const records = () => [...builds.entries()].map(([, record]) => record);

  async function write(start: BuildStart, end: BuildEnd, saving: ReturnType<typeof saveStatus>): Promise<void> {
    const fields = await endFields(store.content, end);
    const record = { ...start, completedAt: Date.now(), ...fields, ...(await saving), pinned: false, generation: 0 };
    await builds.put(start.ref, record);
    onRecord?.(record);
    events.send({ type: eventType.complete, record: recordMessage(record) });
  }
  async function change(ref: string, changes: Partial<BuildRecord>): Promise<void> {
    events.send({ type: eventType.complete, record: recordMessage(await changeRecord(store.meta, ref, changes)) });
  }
  const tracing = traceKeeper(store.content, (ref, trace) => change(ref, { trace }), onError);
  async function removeAll(wanted: readonly BuildRecord[]): Promise<void> {
    const gone = await removeRecords(store, wanted);
    for (const { ref } of gone) events.send({ type: eventType.deleted, record: { ref } });
  }
  async function* listen(request: BuildHistoryRequest, signal: AbortSignal): AsyncGenerator<BuildHistoryEventInput> {
    const { ref, activeOnly, earlyExit } = request;
    const isWanted = (build: { readonly ref?: string | undefined }) => ref === "" || build.ref === ref;
    // All at one moment, so that no build is missed between what there is and what happens.
    using subscription = events.subscribe();
    const active = [...running.values()].filter(isWanted);
    const ended = activeOnly ? [] : queryRecords(records().filter(isWanted), request, Date.now());
    for (const build of active) yield { type: eventType.started, record: recordMessage(build) };
    for (const record of ended) yield { type: eventType.complete, record: recordMessage(record) };
    if (earlyExit) return;
    for await (const event of subscription.read(signal)) if (isWanted(event.record ?? {})) yield event;
  }
  return {
    begin(start, { log, sources }, trace) {
      running.set(start.ref, start);
      events.send({ type: eventType.started, record: recordMessage(start) });
      const saving = saveStatus(store.content, log, (file) => sources.get(file));
      // It is waited for when the build ends.
      saving.catch(() => {});
      return {
        end: async (end) => {
          trace?.end(end.kind === "done" ? null : end.status.message);
          await write(start, end, saving).catch(onError);
          running.delete(start.ref);
          if (trace !== undefined) tracing.keep(start.ref, trace);
        },
      };
    },
    find: (ref) => builds.get(ref),
    listen,
    pin: (ref, pinned) => change(ref, { pinned }),
    finalize: tracing.hurry,
    async remove(ref) {
      if (running.has(ref)) throw new TbuildError("unavailable", `Cannot remove the record of build "${ref}": it is running`);
      const record = builds.get(ref);
      if (record === undefined) throw noSuchBuild(ref);
      await removeAll([record]);
    },
    async collect() {
      await endLostBuilds(store);
      const expired = expiredBuilds(records(), retention, Date.now());
      if (expired.length > 0) await removeAll(expired);
    },
    async close() {
      events.close();
      await tracing.end();
    },
  };
}

function changeRecord(meta: MetaDb, ref: string, changes: Partial<BuildRecord>): Promise<BuildRecord> {
  return meta.transaction((tx) => {
    const record = tx.builds.get(ref);
    if (record === undefined) throw noSuchBuild(ref);
    const next = { ...record, ...changes, generation: record.generation + 1 };
    tx.builds.put(ref, next);
    return next;
  });
}

function noSuchBuild(ref: string): TbuildError {
  return new TbuildError("not_found", `No such build "${ref}"`);
}

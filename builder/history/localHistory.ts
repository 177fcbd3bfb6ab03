import { setTimeout as delay } from "node:timers/promises";
import type { Opts } from "../../cache/content/store.js";
import { cancelled, TbuildError } from "../../cache/errors.js";
import type { BuildRecord } from "../../cache/meta/records.js";
import { parseDigest } from "../../cache/oci/digest.js";
import type { Store } from "../../cache/store.js";
import { buildHistoryRecord } from "../api/history.js";
import type { BuildHistory, BuildHistoryRecord } from "./buildHistory.js";
import { followRunning } from "./followRunning.js";
import { endLostBuilds } from "./lostBuilds.js";
import { type BuildStart, recordMessage } from "./recordMessage.js";
import { removeRecords } from "./removeRecords.js";
import { shownBuild, shownBuilds } from "./runningBuilds.js";
import { readStatus } from "./statusLog.js";

/** How often somebody looks whether a build has ended. */
const LOOK_MS = 100;

/** The builds of all processes on this store: those that run, and those that are remembered. */
export function localHistory(store: Store): BuildHistory {
  const { builds } = store.meta;
  async function ended(ref: string, { signal }: Opts): Promise<BuildRecord> {
    for (;;) {
      await endLostBuilds(store);
      const isRunning = shownBuild(store.root, ref) !== null;
      const record = builds.get(ref);
      if (record !== undefined) return record;
      if (!isRunning) throw new TbuildError("not_found", `Cannot find the build "${ref}"`);
      if (signal?.aborted === true) throw cancelled(signal);
      await delay(LOOK_MS);
    }
  }
  return {
    name: `The store "${store.root}"`,
    async list() {
      await endLostBuilds(store);
      const records = [...builds.entries()].map(([, record]) => record);
      const known = new Set(records.map(({ ref }) => ref));
      const running = shownBuilds(store.root).flatMap(({ start }) => (known.has(start.ref) ? [] : [start]));
      return [...running, ...records].map(asMessage).sort((a, b) => (b.createdAt ?? 0) - (a.createdAt ?? 0));
    },
    async *status(ref, opts) {
      const running = shownBuild(store.root, ref);
      if (running !== null && (yield* followRunning(store, running, opts))) return;
      const { logs } = await ended(ref, opts);
      if (logs !== null) yield* readStatus(store.content, logs, opts);
    },
    ended: async (ref, opts) => asMessage(await ended(ref, opts)),
    read: (digest, opts) => store.content.read(parseDigest(digest), opts),
    async remove(ref) {
      const record = builds.get(ref);
      if (record !== undefined) return void (await removeRecords(store, [record]));
      if (shownBuild(store.root, ref) === null) throw new TbuildError("not_found", `Cannot find the build "${ref}"`);
      throw new TbuildError("unavailable", `Cannot remove the record of build "${ref}": it is running`, { hint: `tbuild history cancel ${ref} ends it` });
    },
  };
}

/** As a builder would tell it. */
function asMessage(build: BuildStart | BuildRecord): BuildHistoryRecord {
  return buildHistoryRecord.decode(buildHistoryRecord.encode(recordMessage(build)));
}

import { placesOf, vertexOf } from "../../solver/errors.js";
import { toStatus } from "../api/errors.js";
import { endFields } from "./buildEnd.js";
import { type LiveBuild, liveBuild } from "./liveBuild.js";
import { endLostBuilds } from "./lostBuilds.js";
import type { RecordedBuild, RecordedEnd } from "./recordedBuild.js";
import { removeRecords } from "./removeRecords.js";
import { requestSources, requestStart } from "./requestStart.js";
import { expiredBuilds, retentionOf } from "./retention.js";

/** Keeps one build of this process. */
export interface BuildKeeper {
  readonly live: LiveBuild;
  /** Writes the record, and removes those that are too many by now. */
  end(end: RecordedEnd): Promise<void>;
}

/** Reading all records takes as long as writing one: of the builds that are over sooner, such as those that are cached, so many do. */
const QUICK_MS = 1000;
const COLLECT_SHARE = 1 / 16;

/** The build that began at `createdAt`, in milliseconds since the epoch. @throws {TbuildError} invalid_argument for its ref */
export function buildKeeper(build: RecordedBuild, createdAt: number): BuildKeeper {
  const { store, limits } = build;
  const start = requestStart(build, createdAt);
  const sources = requestSources(build.request);
  const live = liveBuild(store, start, sources);
  async function collect(): Promise<void> {
    await endLostBuilds(store);
    const records = [...store.meta.builds.entries()].map(([, record]) => record);
    await removeRecords(store, expiredBuilds(records, retentionOf(limits), Date.now()));
  }
  return {
    live,
    async end(end) {
      const saved = await live.save();
      const told = end.kind === "done" ? end : { kind: "failed" as const, status: statusOf(end.error, sources) };
      const fields = await endFields(store.content, told);
      // The image itself is as long-lived as its name: who removes that wants the space.
      await store.meta.builds.put(start.ref, { ...start, completedAt: Date.now(), ...fields, results: [], ...saved, pinned: false, generation: 0 });
      live.hide();
      if (Date.now() - createdAt > QUICK_MS || Math.random() < COLLECT_SHARE) await collect();
    },
  };
}

function statusOf(error: unknown, source: ReturnType<typeof requestSources>): ReturnType<typeof toStatus> {
  return toStatus(error, { source, vertex: vertexOf(error), places: placesOf(error) });
}

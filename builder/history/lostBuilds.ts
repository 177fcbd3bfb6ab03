import { createHash } from "node:crypto";
import { appendFileSync, createReadStream, existsSync, renameSync, truncateSync } from "node:fs";
import path from "node:path";
import { parseDigest } from "../../cache/oci/digest.js";
import type { Descriptor } from "../../cache/oci/descriptor.js";
import type { Store } from "../../cache/store.js";
import { grpcCode } from "../api/errors.js";
import type { StatusMessage } from "../api/status.js";
import { filesIn, hideRunning, isAlive, lastSign, type RunningBuild, type RunningFiles, shownBuilds } from "./runningBuilds.js";
import { frameReader, statusFrame } from "./statusFrames.js";
import { STATUS_TYPE, type StatusLog } from "./statusLog.js";
import { stepCounter } from "./stepCounter.js";

/** What is said of a build whose process was killed. */
const LOST = "The process that ran this build has ended without a result";

/** Records builds whose processes have died, with all that they had told. Any number of processes may do so at once. */
export async function endLostBuilds(store: Store): Promise<void> {
  if (shownBuilds(store.root).every(({ lease }) => lease === store.lease)) return;
  await store.recover();
  for (const build of shownBuilds(store.root)) if (!isAlive(store.root, build)) await endLost(store, build);
}

async function endLost(store: Store, build: RunningBuild): Promise<void> {
  const completedAt = lastSign(build);
  const files = claimed(store, build);
  if (files === null) return;
  const { start } = build;
  if (store.meta.builds.get(start.ref) === undefined) {
    const saved = await saveLog(store, files, completedAt);
    const error = { code: grpcCode.aborted, message: LOST };
    await store.meta.builds.put(start.ref, { ...start, completedAt, error, errorDetails: null, exporterResponse: {}, results: [], ...saved, pinned: false, generation: 0 });
  }
  hideRunning(files);
}

/** Its files, if nobody else has taken them. One who dies here leaves them in his scratch directory, which goes with him. */
function claimed(store: Store, { files, start }: RunningBuild): RunningFiles | null {
  const dir = path.join(store.scratch, `lost-${start.ref}`);
  try {
    renameSync(files.dir, dir);
    return filesIn(dir);
  } catch {
    return null;
  }
}

/** What was written last may be half a message; steps that ran ended with their process. */
async function saveLog(store: Store, { status }: RunningFiles, at: number): Promise<StatusLog> {
  const counter = stepCounter();
  if (!existsSync(status)) return { logs: null, steps: counter.counts() };
  const open = new Map<string, StatusMessage["vertexes"][number]>();
  const reader = frameReader();
  let size = 0;
  for await (const chunk of createReadStream(status) as AsyncIterable<Buffer>) {
    size += chunk.length;
    for (const message of reader.read(chunk)) {
      counter.add(message);
      for (const vertex of message.vertexes) open.set(vertex.digest, vertex);
    }
  }
  truncateSync(status, size - reader.rest());
  const vertexes = [...open.values()].filter(({ started, completed }) => started !== null && completed === null);
  const last = { vertexes: vertexes.map((vertex) => ({ ...vertex, completed: at, error: "context canceled" })) };
  counter.add(last);
  appendFileSync(status, statusFrame(last));
  return { logs: await adopted(store, status).catch(() => null), steps: counter.counts() };
}

async function adopted(store: Store, file: string): Promise<Descriptor> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) hash.update(chunk);
  const { digest, size } = await store.content.adopt(file, parseDigest(`sha256:${hash.digest("hex")}`));
  return { mediaType: STATUS_TYPE, digest, size };
}

import { closeSync, openSync, readSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import type { Opts } from "../../cache/content/store.js";
import { cancelled } from "../../cache/errors.js";
import type { Store } from "../../cache/store.js";
import type { StatusMessage } from "../api/status.js";
import { endLostBuilds } from "./lostBuilds.js";
import { type RunningBuild, shownBuild } from "./runningBuilds.js";
import { frameReader } from "./statusFrames.js";

/** How often the file of a build is looked at, and how often whether its process is there. */
const LOOK_MS = 100;
const ALIVE_MS = 2000;
const CHUNK = 1 << 16;

/**
 * What a build of any process on the store tells, from its begin until it is not seen any more; returns whether its file was there
 * to be read: it is not when the build has just become a record. @throws {TbuildError} cancelled
 */
export async function* followRunning(store: Store, build: RunningBuild, { signal }: Opts): AsyncGenerator<StatusMessage, boolean> {
  const { files, start } = build;
  const reader = frameReader();
  let file: number | null = null;
  try {
    for (let looked = Date.now(); ; ) {
      // Asked before the file is read: what a build tells last comes before it is gone.
      const isOver = shownBuild(store.root, start.ref) === null;
      file ??= opened(files.status);
      for (const chunk of file === null ? [] : chunksOf(file)) yield* reader.read(chunk);
      if (isOver) return file !== null;
      if (signal?.aborted === true) throw cancelled(signal);
      await delay(LOOK_MS);
      if (Date.now() - looked < ALIVE_MS) continue;
      looked = Date.now();
      await endLostBuilds(store);
    }
  } finally {
    if (file !== null) closeSync(file);
  }
}

/** What has been added since it was asked before. */
function* chunksOf(file: number): Generator<Uint8Array> {
  const buffer = Buffer.alloc(CHUNK);
  for (let size = CHUNK; size === CHUNK; ) {
    size = readSync(file, buffer);
    yield buffer.subarray(0, size);
  }
}

function opened(file: string): number | null {
  try {
    return openSync(file, "r");
  } catch {
    return null;
  }
}

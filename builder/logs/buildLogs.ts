import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { Digest } from "../../cache/oci/digest.js";
import type { Store } from "../../cache/store.js";
import type { Progress } from "../../solver/progress.js";
import type { Report } from "../internalStep.js";
import { type BatchedFile, batchedFile } from "./batchedFile.js";
import { endLogs, logsRoot, pruneLogs, RUNNING } from "./prune.js";

/** The output of a build's steps, whole, in one file for each: `<store>/logs/<build>/<n>-<name>.log`. */
export interface BuildLogs extends Disposable {
  /** Passes progress on, and writes what steps print. A disk that cannot take it is told once, and fails no build. */
  readonly report: Report;
  /** Path of a step's file, with all in it that was reported; null when it has printed nothing, or could not be written. */
  fileOf(vertex: Digest): string | null;
}

/** Milliseconds that output waits at most: somebody may be reading along. */
const DELAY = 200;

/** Logs of a build that reports to `report`. Makes nothing until a step prints; disposing removes the oldest builds' logs. */
export function openLogs(store: Pick<Store, "root" | "lease">, report: Report): BuildLogs {
  const dir = path.join(logsRoot(store.root), buildName(new Date()));
  const names = new Map<Digest, string>();
  const files = new Map<Digest, BatchedFile>();
  let state: "unused" | "open" | "broken" = "unused";
  let timer: NodeJS.Timeout | null = null;

  function attempt(write: () => void): void {
    if (state === "broken") return;
    try {
      write();
    } catch (error) {
      state = "broken";
      const message = `Cannot write the logs of this build to "${dir}": ${error instanceof Error ? error.message : String(error)}`;
      report({ type: "warning", vertex: null, warning: { rule: null, message, detail: "", url: null, at: null } });
    }
  }
  function flushAll(): void {
    timer = null;
    for (const file of files.values()) attempt(file.flush);
  }
  function open(vertex: Digest): BatchedFile {
    if (state === "unused") {
      state = "open";
      attempt(() => makeDirectory(dir, store.lease));
    }
    const file = batchedFile(path.join(dir, `${files.size + 1}-${slug(names.get(vertex) ?? "step")}.log`));
    files.set(vertex, file);
    return file;
  }
  function note(event: Progress): void {
    if (event.type === "vertex") names.set(event.vertex, event.name);
    if (event.type !== "log" || state === "broken") return;
    const file = files.get(event.vertex) ?? open(event.vertex);
    attempt(() => file.push(event.bytes));
    timer ??= setTimeout(flushAll, DELAY).unref();
  }

  return {
    report(event) {
      note(event);
      report(event);
    },
    fileOf(vertex) {
      const file = files.get(vertex);
      if (file !== undefined) attempt(file.flush);
      return file === undefined || state !== "open" ? null : file.file;
    },
    [Symbol.dispose]() {
      if (timer !== null) clearTimeout(timer);
      flushAll();
      if (state === "unused") return;
      endLogs(dir);
      pruneLogs(store.root);
    },
  };
}

function makeDirectory(dir: string, lease: string): void {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  writeFileSync(path.join(dir, RUNNING), lease, { mode: 0o600 });
}

/** Sorts by time to the millisecond; "20261121T034247123-a1b2c3". */
function buildName(now: Date): string {
  return `${now.toISOString().slice(0, 23).replaceAll(/[-:.]/g, "")}-${randomBytes(3).toString("hex")}`;
}

/** What of a step's name is safe in a file's: "[2/4] RUN make" → "2-4-RUN-make". */
function slug(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9._]+/g, "-").replaceAll(/^[-.]+|-+$/g, "").slice(0, 60);
}

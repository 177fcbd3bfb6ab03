import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { leaseIds } from "../../cache/lease.js";
import type { BuildStart } from "./recordMessage.js";

/** A build that another process may follow: `<store>/running/<ref>/`. */
export interface RunningBuild {
  readonly start: BuildStart;
  /** Of the process that runs it. */
  readonly lease: string;
  readonly files: RunningFiles;
}

/** Files of a build that runs. */
export interface RunningFiles {
  readonly dir: string;
  /** Who runs what; written last, so that the build is there when this is. */
  readonly build: string;
  /** What it has told until now, as a log has it; absent until it tells something. */
  readonly status: string;
  /** Whoever makes this file asks the build to end. */
  readonly cancel: string;
}

/** Paths of the build `ref` in the store at `root`. */
export function runningFiles(root: string, ref: string): RunningFiles {
  return filesIn(path.join(root, "running", ref));
}

/** Files in this directory. */
export function filesIn(dir: string): RunningFiles {
  return { dir, build: path.join(dir, "build.json"), status: path.join(dir, "status"), cancel: path.join(dir, "cancel") };
}

/** Lets others see a build. Throws what the file system says. */
export function showRunning(root: string, start: BuildStart, lease: string): RunningFiles {
  const files = runningFiles(root, start.ref);
  mkdirSync(files.dir, { recursive: true, mode: 0o700 });
  writeFileSync(`${files.build}.new`, JSON.stringify({ start, lease }), { mode: 0o600 });
  renameSync(`${files.build}.new`, files.build);
  return files;
}

/** From now on nobody sees the build. Throws what the file system says. */
export function hideRunning({ dir }: RunningFiles): void {
  rmSync(dir, { recursive: true, force: true });
}

/** The builds that are there, also those of processes that have died. */
export function shownBuilds(root: string): readonly RunningBuild[] {
  return namesIn(path.join(root, "running")).flatMap((ref) => shownBuild(root, ref) ?? []);
}

/** The build of this ref; null when it is not there, or no more. */
export function shownBuild(root: string, ref: string): RunningBuild | null {
  const files = runningFiles(root, ref);
  try {
    return { ...(JSON.parse(readFileSync(files.build, "utf8")) as Omit<RunningBuild, "files">), files };
  } catch {
    return null;
  }
}

/** False when its process has died and somebody has noticed: see `Store.recover`. */
export function isAlive(root: string, { lease }: RunningBuild): boolean {
  return leaseIds(root).includes(lease);
}

/** Milliseconds since the epoch of the last that a build has told. */
export function lastSign({ files, start }: RunningBuild): number {
  return statSync(files.status, { throwIfNoEntry: false })?.mtimeMs ?? start.createdAt;
}

function namesIn(dir: string): readonly string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}

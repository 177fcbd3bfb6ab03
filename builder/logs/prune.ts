import { readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import path from "node:path";
import { leaseIds } from "../../cache/lease.js";

/** Where the logs of all builds are, below a store's root. */
export function logsRoot(root: string): string {
  return path.join(root, "logs");
}

/** File in a build's directory, with the lease of its process, as long as the build runs. */
export const RUNNING = ".running";

/** From now on the logs of a build may be removed. Never throws. */
export function endLogs(build: string): void {
  remove(path.join(build, RUNNING));
}

/** How much is kept. */
export interface LogLimits {
  readonly builds: number;
  readonly bytes: number;
}

const DEFAULT_LIMITS: LogLimits = { builds: 50, bytes: 512 * 1024 * 1024 };

/**
 * Removes the logs of the oldest builds beyond the limits; the newest, and those of builds that run, stay. Any number of
 * processes may do so at once. Never throws: what cannot be removed is removed another time.
 */
export function pruneLogs(root: string, { builds, bytes }: LogLimits = DEFAULT_LIMITS): void {
  const dir = logsRoot(root);
  let kept = 0;
  let size = 0;
  for (const name of namesIn(dir).toSorted().reverse()) {
    const build = path.join(dir, name);
    size += sizeOf(build);
    kept++;
    if (kept > 1 && (kept > builds || size > bytes) && !isRunning(root, build)) remove(build);
  }
}

function remove(file: string): void {
  try {
    rmSync(file, { recursive: true, force: true });
  } catch {
    // Another process may be doing the same; the next build tries again.
  }
}

function sizeOf(build: string): number {
  const sizes = namesIn(build).map((name) => statSync(path.join(build, name), { throwIfNoEntry: false })?.size ?? 0);
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** A process that died leaves the file behind, but its lease ends. */
function isRunning(root: string, build: string): boolean {
  try {
    return leaseIds(root).includes(readFileSync(path.join(build, RUNNING), "utf8"));
  } catch {
    return false;
  }
}

function namesIn(dir: string): readonly string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}

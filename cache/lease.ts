import { randomBytes } from "node:crypto";
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import path from "node:path";
import { storeLayout } from "./layout.js";
import { releaseOwnFile, tryOwnFile } from "./lockFile.js";
import { mountsBelow, unmountBelow } from "./mounts.js";
import type { Lock } from "./sys/lock.js";

const LOCK = ".lock";

/**
 * A process's claim on a store: what carries its id is left alone by everybody until the process dies. Disposing
 * removes the scratch directory with what is still mounted in it.
 */
export interface Lease extends AsyncDisposable {
  readonly id: string;
  /** An existing directory for mount points and other things that end with the process. */
  readonly scratch: string;
}

/** Takes a new lease on the store at `root`, held by a file lock, so that it ends with the process however that ends. */
export async function acquireLease(root: string): Promise<Lease> {
  const { leases, mounts } = storeLayout(root);
  mkdirSync(leases, { recursive: true, mode: 0o700 });
  const { id, lock } = newLock(leases);
  const scratch = path.join(mounts, id);
  mkdirSync(scratch, { recursive: true, mode: 0o711 });
  return {
    id,
    scratch,
    [Symbol.asyncDispose]: async () => {
      removeScratch(scratch);
      releaseOwnFile(lock);
    },
  };
}

/** Ids of all leases on the store at `root`, of live and dead processes. */
export function leaseIds(root: string): readonly string[] {
  return readdirSync(storeLayout(root).leases)
    .filter((name) => name.endsWith(LOCK))
    .map((name) => name.slice(0, -LOCK.length));
}

/** The lock of a lease whose process is gone; null while it lives or somebody else cleans up after it. */
export function tryTakeOver(root: string, id: string): Lock | null {
  return tryOwnFile(lockPath(storeLayout(root).leases, id));
}

/**
 * Removes a scratch directory once nothing is mounted in it any more: removing through a mount would delete what it
 * shows. Throws when something cannot be unmounted.
 */
export function removeScratch(scratch: string): void {
  unmountBelow(scratch);
  if (mountsBelow(scratch).length > 0) throw new Error(`Mounts left below ${scratch}`);
  rmSync(scratch, { recursive: true, force: true });
}

function newLock(leases: string): { readonly id: string; readonly lock: Lock } {
  for (;;) {
    const id = `${process.pid}-${randomBytes(6).toString("hex")}`;
    // Null: a process that cleans up has seen the new file before it was locked, and will remove it.
    const lock = tryOwnFile(lockPath(leases, id));
    if (lock !== null) return { id, lock };
  }
}

function lockPath(leases: string, id: string): string {
  return path.join(leases, id + LOCK);
}

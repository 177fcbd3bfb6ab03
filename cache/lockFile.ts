import { closeSync, fstatSync, openSync, rmSync, statSync } from "node:fs";
import { type Lock, tryLock } from "./sys/lock.js";

/**
 * An exclusive lock whose file goes away with it (see {@link releaseOwnFile}); null while somebody holds it.
 *
 * Another holder may remove the file between our opening and our locking it, so that we would hold a file without a
 * name. A descriptor opened before keeps that inode number from being used again: when the name still has it
 * afterwards, it had it all the time.
 */
export function tryOwnFile(path: string): Lock | null {
  for (;;) {
    const fd = openSync(path, "a", 0o600);
    try {
      const lock = tryLock(path);
      if (lock === null || fstatSync(fd).ino === statSync(path, { throwIfNoEntry: false })?.ino) return lock;
      lock[Symbol.dispose]();
    } finally {
      closeSync(fd);
    }
  }
}

/** Removes the file of a lock taken by {@link tryOwnFile}, then lets go of the lock. */
export function releaseOwnFile(lock: Lock): void {
  rmSync(lock.path, { force: true });
  lock[Symbol.dispose]();
}

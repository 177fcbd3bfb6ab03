import { randomBytes } from "node:crypto";
import { readdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { leaseIds } from "./lease.js";
import type { LockMode } from "./sys/lock.js";

/**
 * Notes beside the cache directory `at` that the process with this lease has locked it, until disposed. The lock itself ends
 * with the process, but what the process runs in a sandbox may outlive it. Dispose it before the lock.
 */
export function noteUser(at: string, lease: string, mode: LockMode): Disposable {
  const file = `${at}.${mode}.${lease}.${randomBytes(4).toString("hex")}`;
  writeFileSync(file, "");
  return { [Symbol.dispose]: () => rmSync(file, { force: true }) };
}

/**
 * Leases of dead processes that nobody has cleaned up after, and that had locked the cache directory `at` against what a
 * holder in `mode` may do. Only for one who has it locked in that mode: then nobody who lives can have left such a note.
 */
export function deadUsers(root: string, at: string, mode: LockMode): readonly string[] {
  const dir = path.dirname(at);
  const against = mode === "exclusive" ? "exclusive|shared" : "exclusive";
  const pattern = new RegExp(`^${path.basename(at)}\\.(?:${against})\\.([^.]+)\\.[0-9a-f]+$`);
  const notes = readdirSync(dir).flatMap((name) => ({ name, lease: pattern.exec(name)?.[1] }));
  // Read after the notes, so that the lease of each was there before.
  const leases = new Set(leaseIds(root));
  return notes.flatMap(({ name, lease }) => {
    if (lease === undefined) return [];
    if (leases.has(lease)) return [lease];
    rmSync(path.join(dir, name), { force: true });
    return [];
  });
}

import { TbuildError } from "../../cache/errors.js";
import { familiarReference, parseReference, type Reference } from "../../cache/oci/reference.js";
import type { LockEntry, LockName, SourceLock } from "./lock.js";

/** The form that people write: "nginx:v3" of an image. */
export function familiarName({ kind, name }: LockName): string {
  return kind === "images" ? familiarReference(parseReference(name)) : name;
}

const MAX_SHOWN = 10;

/** The entries that these names mean, in the order of the lock; an image without a tag is all of its tags. @throws {TbuildError} not_found */
export function chooseEntries(lock: SourceLock, names: readonly string[], shown: string): readonly LockEntry[] {
  const chosen = new Set<LockEntry>();
  for (const name of names) {
    const found = lock.filter((entry) => isMeant(entry, name));
    if (found.length === 0) throw unknown(lock, name, shown);
    for (const entry of found) chosen.add(entry);
  }
  return lock.filter((entry) => chosen.has(entry));
}

function isMeant({ kind, name }: LockEntry, asked: string): boolean {
  if (name === asked) return true;
  if (kind === "git") return name.replace(/#.*$/s, "") === asked;
  const wanted = kind === "images" ? image(asked) : null;
  if (wanted === null) return false;
  const own = parseReference(name);
  return own.registry === wanted.registry && own.repository === wanted.repository && (wanted.tag === null || wanted.tag === own.tag);
}

function image(name: string): Reference | null {
  try {
    return parseReference(name);
  } catch {
    return null;
  }
}

function unknown(lock: SourceLock, name: string, shown: string): TbuildError {
  const more = lock.length > MAX_SHOWN ? `, and ${lock.length - MAX_SHOWN} more` : "";
  const hint = lock.length === 0 ? "It has no entries: run a build with --lock" : `It has ${lock.slice(0, MAX_SHOWN).map(familiarName).join(", ")}${more}`;
  return new TbuildError("not_found", `${shown} has no entry for "${name}"`, { hint });
}

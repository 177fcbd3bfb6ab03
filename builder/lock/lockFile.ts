import { readFileSync } from "node:fs";
import { type SourceRange, TbuildError } from "../../cache/errors.js";
import { gitSource } from "../../frontend/dockerfile/gitSource.js";
import { parseGitUrl } from "../../frontend/dockerfile/gitUrl.js";
import { isPin, type LockEntry, type LockKind, lockKinds, lockName, type SourceLock, withEntries } from "./lock.js";

/** What the file is called unless it is told otherwise. */
export const LOCK_FILE = "tbuild.lock";

const VERSION = 1;

/** Reads a lock file, which messages call `shown`; null when there is none. @throws {TbuildError} parse_failed, with the line; permission_denied */
export function readLock(file: string, shown: string): SourceLock | null {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT") return null;
    throw new TbuildError(code === "EACCES" ? "permission_denied" : "invalid_argument", `Cannot read "${shown}": ${code}`, { cause });
  }
  return parseLock(text, shown);
}

/** One line an entry, sorted, so that two changes meet only where they are about one source. */
export function formatLock(lock: SourceLock): string {
  const ofKind = (kind: LockKind) => Object.fromEntries(withEntries(lock, []).flatMap((entry) => (entry.kind === kind ? [[entry.name, entry.pin]] : [])));
  const sections = lockKinds.map((kind) => [kind, ofKind(kind)] as const).filter(([, entries]) => Object.keys(entries).length > 0);
  return `${JSON.stringify({ version: VERSION, ...Object.fromEntries(sections) }, null, 2)}\n`;
}

/** @throws {TbuildError} parse_failed; unsupported for a file of a newer version */
export function parseLock(text: string, shown: string): SourceLock {
  const refuse = (why: string, offset: number): TbuildError => damaged(text, shown, why, offset);
  const { version, ...sections } = objectOf(parsed(text, refuse), () => refuse("it is no JSON object", 0));
  if (version !== VERSION) throw new TbuildError("unsupported", `Cannot read "${shown}": version ${JSON.stringify(version)} is unknown`, { hint: `This tbuild knows version ${VERSION}` });
  const entries = Object.entries(sections).flatMap(([kind, given]) => {
    const at = offsetOf(text, kind);
    if (!isKind(kind)) throw refuse(`"${kind}" is none of ${lockKinds.join(", ")}`, at);
    const section = objectOf(given, () => refuse(`"${kind}" is no object`, at));
    return Object.entries(section).map(([name, pin]) => readEntry(kind, name, pin, () => offsetOf(text, name), refuse));
  });
  checkOnce(text, entries, refuse);
  return withEntries([], entries);
}

type Refuse = (why: string, offset: number) => TbuildError;

function readEntry(kind: LockKind, name: string, pin: unknown, at: () => number, refuse: Refuse): LockEntry {
  if (!isName(kind, name)) throw refuse(`"${name}" is no ${WORDS[kind].name}`, at());
  if (typeof pin === "string" && isPin(kind, pin)) return { kind, name, pin };
  throw refuse(`${JSON.stringify(pin)} is no ${WORDS[kind].pin}`, at());
}

const WORDS: { readonly [K in LockKind]: { readonly name: string; readonly pin: string } } = {
  images: { name: "full name of an image with a tag", pin: "digest" },
  git: { name: "URL of a Git repository", pin: "commit" },
  urls: { name: "URL", pin: "digest" },
};

function isName(kind: LockKind, name: string): boolean {
  try {
    const source = kind === "git" ? gitSource(parseGitUrl(name)!) : { identifier: kind === "images" ? `docker-image://${name}` : name, attrs: {} };
    const found = lockName({ ...source, platform: null });
    return found?.kind === kind && found.name === name;
  } catch {
    return false;
  }
}

/** Two changes that were merged as text may have left both lines; JSON would take the later one. */
function checkOnce(text: string, entries: readonly LockEntry[], refuse: Refuse): void {
  for (const { name } of entries) {
    const key = `${JSON.stringify(name)}:`;
    const found = text.indexOf(key, text.indexOf(key) + 1);
    if (found >= 0) throw refuse(`"${name}" is there twice`, found);
  }
}

function isKind(word: string): word is LockKind {
  return (lockKinds as readonly string[]).includes(word);
}

function objectOf(value: unknown, otherwise: () => TbuildError): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw otherwise();
  return value as Readonly<Record<string, unknown>>;
}

function parsed(text: string, refuse: Refuse): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const [, position] = /position (\d+)/.exec((error as Error).message) ?? [];
    throw refuse("it is no JSON", position === undefined ? text.trimEnd().length : Number(position));
  }
}

function offsetOf(text: string, key: string): number {
  return Math.max(0, text.indexOf(JSON.stringify(key)));
}

function damaged(text: string, shown: string, why: string, offset: number): TbuildError {
  const before = text.slice(0, offset).split("\n");
  const place = { line: before.length, column: before.at(-1)!.length + 1 };
  const at: SourceRange = { file: shown, start: place, end: place };
  const hint = /^<{7} /m.test(text) ? "It has both sides of a merge: leave one line for each source" : "Take it from version control, or remove it and run with --lock";
  return new TbuildError("parse_failed", `Cannot read "${shown}": ${why}`, { at, hint });
}

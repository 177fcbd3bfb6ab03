import { TbuildError } from "../../cache/errors.js";
import { isDigest } from "../../cache/oci/digest.js";
import { formatReference, parseReference } from "../../cache/oci/reference.js";
import { redacted } from "../../frontend/dockerfile/gitUrl.js";
import { normalIdentifier } from "../policy/identifier.js";
import type { PolicySource } from "../policy/policy.js";
import { isCommit } from "../source/gitRefs.js";

/** What sources are told apart by. */
export const lockKinds = ["images", "git", "urls"] as const;

/** See {@link lockKinds}. */
export type LockKind = (typeof lockKinds)[number];

/** The name of something that a build reads from outside. */
export interface LockName {
  readonly kind: LockKind;
  /** Of an image its full name with a tag; of a repository its URL, with `#ref`; else a URL. */
  readonly name: string;
}

/** What a name stands for. */
export interface LockEntry extends LockName {
  /** Digest of the image's index, or of its manifest if it has none; the commit; the digest of the file. */
  readonly pin: string;
}

/** The entries of a lock file, each name once, sorted. */
export type SourceLock = readonly LockEntry[];

/** The entry of a name. */
export function findEntry(lock: SourceLock, { kind, name }: LockName): LockEntry | undefined {
  return lock.find((entry) => entry.kind === kind && entry.name === name);
}

/** The lock with `added` in it, each instead of the entry of its name. */
export function withEntries(lock: SourceLock, added: readonly LockEntry[]): SourceLock {
  const byName = new Map([...lock, ...added].map((entry) => [`${lockKinds.indexOf(entry.kind)} ${entry.name}`, entry]));
  return [...byName].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, entry]) => entry);
}

/** True for what an entry of this kind can be: a digest, or the whole digest of a commit. */
export function isPin(kind: LockKind, text: string): boolean {
  return kind === "git" ? isCommit(text) : isDigest(text);
}

/**
 * What a lock calls a source; null for one that says by itself which bytes it is, and for those that come from this machine.
 * @throws {TbuildError} unsupported for a URL that a password is part of
 */
export function lockName({ identifier, attrs }: PolicySource): LockName | null {
  const [, scheme, rest = ""] = /^([a-z+-]+):\/\/(.*)$/s.exec(normalIdentifier(identifier)) ?? [];
  switch (scheme) {
    case "docker-image":
      return imageName(rest, attrs);
    case "git":
      return gitName(rest, attrs);
    case "http":
    case "https":
      return (attrs["http.checksum"] ?? "") !== "" ? null : { kind: "urls", name: withoutPassword(identifier, "HTTP_AUTH_TOKEN_HOST") };
    default:
      return null;
  }
}

function imageName(name: string, attrs: PolicySource["attrs"]): LockName | null {
  const reference = parseReference(name);
  const isPinned = reference.digest !== null || (attrs["image.checksum"] ?? "") !== "";
  return isPinned ? null : { kind: "images", name: formatReference(reference) };
}

function gitName(rest: string, attrs: PolicySource["attrs"]): LockName | null {
  const [, place = "", ref = ""] = /^([^#]*)(?:#([^:]*))?/s.exec(rest)!;
  if (isCommit(ref) || (attrs["git.checksum"] ?? "") !== "") return null;
  const url = withoutPassword(attrs["git.fullurl"] ?? `git://${place}`, "GIT_AUTH_TOKEN");
  return { kind: "git", name: ref === "" ? url : `${url}#${ref}` };
}

/** The file is for others to read, and a URL without its password another one. */
function withoutPassword(url: string, secret: string): string {
  const shown = redacted(url);
  if (shown === url) return url;
  throw new TbuildError("unsupported", `Cannot lock "${shown}": a login is part of its URL`, { hint: `Leave it out of the URL, and give it with --secret id=${secret},env=VARIABLE` });
}

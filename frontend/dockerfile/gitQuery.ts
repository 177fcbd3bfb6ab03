import { TbuildError } from "../../cache/errors.js";
import { suggest } from "./suggest.js";

/** What the parts of a Git URL behind "?" and "#" can say. */
export interface GitQuery {
  /** Branch, tag, commit or full ref; empty is the remote's HEAD. */
  readonly ref: string;
  /** Directory of the repository, without slashes around it; empty is its root. */
  readonly subdir: string;
  /** Commit, or how it begins, lower case; empty is any. */
  readonly checksum: string;
  /** Null where the URL does not say. */
  readonly keepGitDir: boolean | null;
  readonly submodules: boolean | null;
  /** What times files get: of the checkout, the default, or of the commit. */
  readonly mtime: "checkout" | "commit" | null;
  /** Trust `checksum` to be the commit, and fetch it whatever the ref is now. */
  readonly fetchByCommit: boolean;
}

const KEYS = [
  "ref",
  "tag",
  "branch",
  "subdir",
  "checksum",
  "commit",
  "keep-git-dir",
  "submodules",
  "mtime",
  "fetch-by-commit",
] as const;
type Key = (typeof KEYS)[number];

const FLAGS: readonly Key[] = ["keep-git-dir", "submodules", "fetch-by-commit"];

/**
 * Joins the query with what the fragment said. `url` is for messages, without credentials.
 * @throws {TbuildError} invalid_argument for keys that are unknown, repeated or empty, and values that conflict
 */
export function gitQuery(query: URLSearchParams, fragment: Pick<GitQuery, "ref" | "subdir">, url: string): GitQuery {
  const values = readKeys(query, url);
  const refs = [fragment.ref, values.get("ref"), fullRef(values.get("tag"), "tags"), fullRef(values.get("branch"), "heads")];
  const mtime = values.get("mtime") ?? null;
  if (mtime !== null && mtime !== "checkout" && mtime !== "commit") throw badQuery(url, `mtime is "checkout" or "commit"`);
  const ref = agreed(refs, "refs", url);
  const checksum = checksumOf(agreed([values.get("checksum"), values.get("commit")], "commits", url), url);
  const fetchByCommit = boolOf(values.get("fetch-by-commit"), "fetch-by-commit", url) ?? false;
  if (fetchByCommit && ![checksum, ref].some(isCommit)) throw badQuery(url, "fetch-by-commit needs a whole commit as checksum");
  return {
    ref,
    subdir: agreed([fragment.subdir, values.get("subdir")], "directories", url),
    checksum,
    keepGitDir: boolOf(values.get("keep-git-dir"), "keep-git-dir", url),
    submodules: boolOf(values.get("submodules"), "submodules", url),
    mtime,
    fetchByCommit,
  };
}

function isCommit(text: string): boolean {
  return /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(text);
}

/** A commit, or how it begins, in lower case; null when `text` is neither. */
export function commitPrefix(text: string): string | null {
  return /^[0-9a-f]{1,64}$/i.test(text) ? text.toLowerCase() : null;
}

function readKeys(query: URLSearchParams, url: string): ReadonlyMap<Key, string> {
  const values = new Map<Key, string>();
  for (const [name, value] of query) {
    const key = KEYS.find((known) => known === name);
    if (key === undefined) throw unknownKey(name, url);
    if (values.has(key)) throw badQuery(url, `"${key}" is given twice`);
    if (value === "" && !FLAGS.includes(key)) throw badQuery(url, `"${key}" has no value`);
    values.set(key, value);
  }
  return values;
}

function fullRef(name: string | undefined, kind: "tags" | "heads"): string | undefined {
  return name === undefined || name.startsWith(`refs/${kind}/`) ? name : `refs/${kind}/${name}`;
}

/** The one value that all who say something agree on; empty when nobody does. */
function agreed(values: readonly (string | undefined)[], what: string, url: string): string {
  const [first = "", ...others] = new Set(values.filter((value) => value !== undefined && value !== ""));
  if (others.length > 0) throw badQuery(url, `the ${what} "${first}" and "${others.join('", "')}" conflict`);
  return first;
}

function checksumOf(text: string, url: string): string {
  const commit = text === "" ? "" : commitPrefix(text);
  if (commit === null) throw badQuery(url, `"${text}" is no commit, nor how one begins`);
  return commit;
}

function boolOf(value: string | undefined, key: Key, url: string): boolean | null {
  if (value === undefined) return null;
  if (value === "" || /^(?:1|t|true)$/i.test(value)) return true;
  if (/^(?:0|f|false)$/i.test(value)) return false;
  throw badQuery(url, `"${key}" is true or false, not "${value}"`);
}

function unknownKey(name: string, url: string): TbuildError {
  const near = suggest(name, KEYS);
  return badQuery(url, `it has no option "${name}"`, near === null ? `Known: ${KEYS.join(", ")}` : `Did you mean "${near}"?`);
}

function badQuery(url: string, reason: string, hint?: string): TbuildError {
  return new TbuildError("invalid_argument", `Cannot use the Git URL "${url}": ${reason}`, { hint });
}

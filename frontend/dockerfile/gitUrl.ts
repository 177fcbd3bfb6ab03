import { posix } from "node:path";
import { TbuildError } from "../../cache/errors.js";
import { type GitQuery, gitQuery } from "./gitQuery.js";

/** A Git repository and what is wanted of it. Source: BuildKit's dfgitutil.GitRef. */
export interface GitUrl extends GitQuery {
  /** What `git fetch` is given: without query and fragment. May hold credentials. */
  readonly remote: string;
  readonly scheme: "https" | "http" | "ssh" | "git";
  /** Host with its port, without user. */
  readonly host: string;
  /** Path of the repository on the host, decoded. */
  readonly path: string;
  /** `github.com/owner/repository`, which is a path too: a repository only where a build context is asked for. */
  readonly ambiguous: boolean;
}

const URL_FORM = /^([a-zA-Z0-9]+):\/\/(?:([^/?#]*)@)?([^/?#@]*)([^?#]*)(?:\?([^#]*))?(?:#([^]*))?$/;
const SCP_FORM = /^([\w-]+)@([a-zA-Z0-9.-]+):([^?#]*)(?:\?([^#]*))?(?:#([^]*))?$/;
const SCHEMES: readonly GitUrl["scheme"][] = ["https", "http", "ssh", "git"];

/**
 * Reads https:// and http:// URLs whose path ends in ".git", git:// and ssh:// ones, `user@host:path`, and
 * `github.com/owner/repository`, each with `?key=value` and `#ref:dir` behind it. Null for text that names no repository.
 * @throws {TbuildError} invalid_argument for options that are unknown or conflict, and for what Git could take for an option
 */
export function parseGitUrl(text: string): GitUrl | null {
  if (/^(?:ext|fd)::/i.test(text)) throw refusedUrl(text, "a transport of Git's helpers runs programs");
  const parts = splitUrl(text);
  if (parts === null) return null;
  const { remote, scheme, host, path, ambiguous } = parts;
  refuseSmuggled(text, parts);
  const [ref, dir] = splitOnce(parts.fragment, ":");
  const wanted = gitQuery(new URLSearchParams(parts.query), { ref, subdir: cleanDir(dir) }, redacted(text));
  const url = { remote, scheme, host, path, ambiguous, ...wanted, subdir: cleanDir(wanted.subdir) };
  if (url.ref.startsWith("-")) throw refusedUrl(text, `the ref "${url.ref}" begins with "-"`);
  return url;
}

/** `text` with a password, or a token in its place, taken out: for messages and step names. The user of ssh alone is no secret. */
export function redacted(text: string): string {
  return text.replace(/^([a-zA-Z0-9]+:\/\/)([^/?#]*)@/, (whole, scheme: string, login: string) =>
    scheme.toLowerCase() === "ssh://" && !login.includes(":") ? whole : `${scheme}***@`,
  );
}

interface UrlParts {
  readonly remote: string;
  readonly scheme: GitUrl["scheme"];
  readonly user: string;
  readonly host: string;
  readonly path: string;
  readonly query: string;
  readonly fragment: string;
  readonly ambiguous: boolean;
}

function splitUrl(text: string): UrlParts | null {
  if (text.startsWith("github.com/")) return splitWithScheme(`https://${text}`, true);
  if (/^[a-zA-Z0-9]+:\/\//.test(text)) return splitWithScheme(text, false);
  const [, user, host, path, query = "", fragment = ""] = SCP_FORM.exec(text) ?? [];
  if (user === undefined || host === undefined || path === undefined) return null;
  return { remote: `${user}@${host}:${path}`, scheme: "ssh", user, host, path, query, fragment, ambiguous: false };
}

function splitWithScheme(text: string, ambiguous: boolean): UrlParts | null {
  const [, name = "", user = "", host = "", path = "", query = "", fragment = ""] = URL_FORM.exec(text) ?? [];
  const scheme = SCHEMES.find((known) => known === name.toLowerCase());
  if (scheme === undefined) return null;
  if (!ambiguous && scheme.startsWith("http") && !decoded(path, text).endsWith(".git")) return null;
  const remote = /^[^?#]*/.exec(text)![0];
  return { remote, scheme, user, host, path: decoded(path, text), query, fragment: decoded(fragment, text), ambiguous };
}

/** Git takes a word that begins with "-" for an option, and ssh a host that does. */
function refuseSmuggled(text: string, { user, host, path, scheme }: UrlParts): void {
  if (host === "" || path === "" || path === "/") throw refusedUrl(text, "it names no repository");
  if (host.startsWith("-") || user.startsWith("-")) throw refusedUrl(text, `its host begins with "-"`);
  if (scheme === "ssh" && path.replace(/^\/?~?/, "").startsWith("-")) throw refusedUrl(text, `its path begins with "-"`);
  // eslint-disable-next-line no-control-regex
  if (/[\u0000-\u001f\u007f]/.test(decoded(text, text))) throw refusedUrl(text, "it holds control characters");
}

function refusedUrl(text: string, reason: string): TbuildError {
  return new TbuildError("invalid_argument", `Cannot use the Git URL "${redacted(text)}": ${reason}`);
}

/** A directory inside the repository, from whose root ".." does not lead out. */
function cleanDir(dir: string): string {
  return posix.join("/", dir).replace(/^\/|\/$/g, "");
}

function decoded(part: string, text: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw refusedUrl(text, `"%" is not followed by two hexadecimal digits`);
  }
}

function splitOnce(text: string, separator: string): readonly [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}

import { TbuildError } from "../../cache/errors.js";
import { type Digest, isDigest } from "../../cache/oci/digest.js";
import { type GitUrl, parseGitUrl, redacted } from "../../frontend/dockerfile/gitUrl.js";

/** What a build is made of. */
export type MainContext =
  | { readonly kind: "directory"; readonly path: string }
  | { readonly kind: "git"; readonly url: GitUrl; readonly shown: string }
  /** An archive of files, or a Dockerfile alone. */
  | { readonly kind: "http"; readonly url: string; readonly checksum: Digest | null; readonly shown: string }
  /** The same from standard input. */
  | { readonly kind: "stdin" };

const KINDS = "A context is a directory, - for standard input, a Git repository (https://….git, git://, ssh://, git@host:path), or an http(s) URL";

/**
 * Reads the PATH of a build: a directory, `-`, a Git repository in any form that docker build takes, or the URL of an
 * archive or a Dockerfile, whose checksum may stand behind it: `#checksum=sha256:…`.
 * @throws {TbuildError} invalid_argument, unsupported
 */
export function parseMainContext(text: string): MainContext {
  if (text === "-") return { kind: "stdin" };
  const url = parseGitUrl(text);
  if (url !== null) return { kind: "git", url, shown: redacted(text) };
  if (/^https?:\/\//i.test(text)) return httpContext(text);
  const scheme = /^([a-z][a-z0-9+-]*):\/\//i.exec(text)?.[1];
  if (scheme === undefined) return { kind: "directory", path: text };
  throw new TbuildError("unsupported", `Cannot use "${redacted(text)}" as the build context: "${scheme}" is no kind of context`, { hint: KINDS });
}

function httpContext(text: string): MainContext {
  const shown = redacted(text).replace(/[?#].*$/s, "");
  if (!URL.canParse(text)) throw new TbuildError("invalid_argument", `Cannot use "${shown}" as the build context: not a URL`);
  const { hash } = new URL(text);
  const checksum = hash === "" ? null : hash.replace(/^#checksum=/, "");
  if (checksum !== null && !isDigest(checksum)) {
    const hint = "Behind # may stand checksum=sha256:… of the file; a Git repository's URL ends in .git";
    throw new TbuildError("invalid_argument", `Cannot use "${shown}${hash}" as the build context: "${hash.slice(1)}" is no checksum`, { hint });
  }
  return { kind: "http", url: text.replace(/#.*$/s, ""), checksum, shown };
}

import path from "node:path";
import { TbuildError } from "../../cache/errors.js";
import { digestOf, type Digest } from "../../cache/oci/digest.js";
import { redacted } from "../../frontend/dockerfile/gitUrl.js";
import type { GitRef } from "./gitRefs.js";
import type { SourceRequest } from "./source.js";

/** A git source op, read. */
export interface GitRequest {
  /** What git is given; may hold credentials. */
  readonly url: string;
  readonly ref: string;
  readonly subdir: string;
  readonly keepGitDir: boolean;
  readonly submodules: boolean;
  readonly checksum: string;
  readonly attrs: SourceRequest["attrs"];
}

/** @throws {TbuildError} invalid_argument */
export function readGitRequest({ identifier, attrs }: SourceRequest): GitRequest {
  const [place, fragment = ""] = splitOnce(identifier, "#");
  const [ref, subdir = ""] = splitOnce(fragment, ":");
  const url = attrs["git.fullurl"] ?? place;
  if (url.startsWith("-") || ref.startsWith("-")) throw new TbuildError("invalid_argument", `Cannot read the Git repository "${redacted(url)}": it looks like an option`);
  return {
    url,
    ref,
    subdir: path.posix.join("/", subdir).slice(1),
    keepGitDir: attrs["git.keepgitdir"] === "true",
    submodules: attrs["git.skipsubmodules"] !== "true",
    checksum: attrs["git.checksum"] ?? "",
    attrs,
  };
}

function splitOnce(text: string, separator: string): readonly [string, string?] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

/** What a checkout is known by. With `.git`, more than the files counts: what was asked for is written there. */
export function pinOf({ url, ref, subdir, keepGitDir, submodules }: GitRequest, { commit }: GitRef): Digest {
  const origin = keepGitDir ? [redacted(url), ref] : [];
  return digestOf(JSON.stringify(["tbuild.git.v1", commit, subdir, keepGitDir, submodules, ...origin]));
}

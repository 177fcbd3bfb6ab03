import path from "node:path";
import { TbuildError } from "../../cache/errors.js";
import { digestOf, type Digest } from "../../cache/oci/digest.js";
import { redacted } from "../../frontend/dockerfile/gitUrl.js";
import { blobPlace } from "./blob.js";
import { type GitRef, isCommit } from "./gitRefs.js";
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
  /** Identifier of the blob that is asked instead of the repository: a bundle of it. */
  readonly bundle: string | null;
  /** A bundle of the commit is wanted instead of its files. */
  readonly checkoutBundle: boolean;
  readonly attrs: SourceRequest["attrs"];
}

/** @throws {TbuildError} invalid_argument */
export function readGitRequest({ identifier, attrs }: SourceRequest): GitRequest {
  const [place, fragment = ""] = splitOnce(identifier, "#");
  const [ref, subdir = ""] = splitOnce(fragment, ":");
  const url = attrs["git.fullurl"] ?? place;
  if (url.startsWith("-") || ref.startsWith("-")) throw new TbuildError("invalid_argument", `Cannot read the Git repository "${redacted(url)}": it looks like an option`);
  const request = {
    url,
    ref,
    subdir: path.posix.join("/", subdir).slice(1),
    keepGitDir: attrs["git.keepgitdir"] === "true",
    submodules: attrs["git.skipsubmodules"] !== "true",
    checksum: attrs["git.checksum"] ?? "",
    bundle: attrs["git.bundle"] || null,
    checkoutBundle: attrs["git.checkoutbundle"] === "true",
    attrs,
  };
  checkBundles(request);
  return request;
}

/** Who gives a bundle says which commit is meant. Source: BuildKit, source/git/identifier.go. */
function checkBundles({ url, ref, subdir, keepGitDir, checksum, bundle, checkoutBundle }: GitRequest): void {
  const refused = (why: string) => new TbuildError("invalid_argument", `Cannot read the Git repository "${redacted(url)}": ${why}`);
  if (bundle !== null) {
    blobPlace(bundle);
    if (!/^[0-9a-f]{4,64}$/.test(checksum)) throw refused("git.bundle requires git.checksum to be set");
    if (ref === "" && !isCommit(checksum)) throw refused(`git.checksum "${checksum}" is no whole commit, and no ref is named`);
    if (isCommit(ref) && !ref.startsWith(checksum)) throw refused(`expected checksum to match ${checksum}, got ${ref}`);
  }
  if (checkoutBundle && keepGitDir) throw refused("git.checkoutbundle is incompatible with git.keepgitdir");
  if (checkoutBundle && subdir !== "") throw refused("git.checkoutbundle is incompatible with git.subdir");
}

function splitOnce(text: string, separator: string): readonly [string, string?] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

/** What a checkout is known by. With `.git`, more than the files counts: what was asked for is written there. */
export function pinOf({ url, ref, subdir, keepGitDir, submodules, checkoutBundle }: GitRequest, { commit }: GitRef): Digest {
  const origin = keepGitDir ? [redacted(url), ref] : checkoutBundle ? ["bundle", ref] : [];
  return digestOf(JSON.stringify(["tbuild.git.v1", commit, subdir, keepGitDir, submodules, ...origin]));
}

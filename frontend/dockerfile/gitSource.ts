import { posix } from "node:path";
import type { SourceOp } from "../../solver/llb/op.js";
import type { GitUrl } from "./gitUrl.js";

/** What is asked of a repository beside its URL; what both say must have been compared before. */
export interface GitSourceOptions {
  /** Null: as the URL says, else no. */
  readonly keepGitDir?: boolean | null;
  /** Commit, or how it begins; wins over the URL's. */
  readonly checksum?: string | null;
  /** Wins over the URL's. */
  readonly mtime?: "checkout" | "commit" | null;
}

/**
 * The source step of a repository: `git://host/path#ref:subdir`, equal for all protocols, with everything else in
 * attributes. Secrets for HTTP and the agent for ssh are BuildKit's default ones. Source: llb.Git.
 */
export function gitSource(url: GitUrl, options: GitSourceOptions = {}): SourceOp {
  const keep = options.keepGitDir ?? url.keepGitDir ?? false;
  const checksum = options.checksum ?? url.checksum;
  const mtime = options.mtime ?? url.mtime;
  const attrs = {
    "git.authheadersecret": "GIT_AUTH_HEADER",
    "git.authtokensecret": "GIT_AUTH_TOKEN",
    "git.fullurl": url.remote,
    ...(checksum === "" ? {} : { "git.checksum": checksum }),
    ...(url.fetchByCommit ? { "git.fetchbycommit": "true" } : {}),
    ...(keep ? { "git.keepgitdir": "true" } : {}),
    ...(url.scheme === "ssh" ? { "git.mountsshsock": "default" } : {}),
    ...(mtime === null ? {} : { "git.mtime": mtime }),
    ...(url.submodules === false ? { "git.skipsubmodules": "true" } : {}),
  };
  return { kind: "source", identifier: `git://${url.host}${posix.join("/", url.path)}${fragmentOf(url)}`, attrs };
}

function fragmentOf({ ref, subdir }: GitUrl): string {
  if (ref === "" && subdir === "") return "";
  return subdir === "" ? `#${ref}` : `#${ref}:${subdir}`;
}

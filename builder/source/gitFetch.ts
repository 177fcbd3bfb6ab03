import { TbuildError } from "../../cache/errors.js";
import { redacted } from "../../frontend/dockerfile/gitUrl.js";
import type { Git } from "./gitClient.js";
import { GitFailure, type GitOptions } from "./gitCommand.js";
import { type GitRef, isCommit } from "./gitRefs.js";
import type { GitRequest } from "./gitRequest.js";

/** What git asks for commits. Disposing removes what was made for it. */
export interface GitOrigin extends Disposable {
  readonly url: string;
  readonly options: Partial<GitOptions>;
}

/** Brings a commit into a bare repository unless it is there, with or without its history. @throws {TbuildError} not_found */
export async function fetchCommit(git: Git, bare: string, origin: GitOrigin, { url }: GitRequest, ref: GitRef, history: "shallow" | "whole"): Promise<void> {
  const has = () => git(["-C", bare, "cat-file", "-e", `${ref.commit}^{commit}`]).then(() => true, () => false);
  if (await has()) return;
  const ask = (...args: readonly string[]) => git(["-C", bare, "fetch", "--quiet", ...args], origin.options);
  const from = isCommit(ref.name) ? ref.commit : ref.name;
  const fetch = (...depth: readonly string[]) => ask("--no-tags", ...depth, "--", origin.url, `+${from}:refs/tbuild/${ref.commit}`);
  const fetching = history === "whole" ? fetch() : fetch("--depth=1").catch((error: unknown) => wholeInstead(error, fetch));
  // Not every server hands out a commit that is no tip: then its branches and tags have it.
  if (isCommit(ref.name)) await fetching.catch(async () => ask("--", origin.url, "+refs/heads/*:refs/tbuild/heads/*", "+refs/tags/*:refs/tbuild/tags/*"));
  else await fetching;
  if (await has()) return;
  throw new TbuildError("not_found", `Cannot find commit ${ref.commit} in the Git repository "${redacted(url)}"`);
}

/** A server of plain files cannot leave history out: what failed so is done by `whole`. Source: git, remote-curl.c. */
export async function wholeInstead(error: unknown, whole: () => Promise<string>): Promise<string> {
  if (error instanceof GitFailure && error.message.includes("dumb http transport does not support shallow")) return await whole();
  throw error;
}

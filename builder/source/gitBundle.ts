import { mkdirSync, rmSync } from "node:fs";
import path from "node:path";
import { TbuildError } from "../../cache/errors.js";
import type { StepOpts } from "../../solver/opRunner.js";
import { newName } from "../ops/snapshotStep.js";
import type { GitCredentials } from "./gitAccess.js";
import type { Git } from "./gitClient.js";
import { fetchCommit, type GitOrigin } from "./gitFetch.js";
import { type GitRef, isCommit } from "./gitRefs.js";
import type { GitRequest } from "./gitRequest.js";

/** The file of a bundle in its tree. */
const BUNDLE = "bundle";

/**
 * The repository itself, or what its bundle holds, unpacked into a repository of its own.
 * @throws {TbuildError} not_found when the bundle does not have the commit, and as the blob's source does
 */
export async function gitOrigin(given: GitCredentials, git: Git, wanted: GitRequest, opts: StepOpts): Promise<GitOrigin> {
  const { url, bundle, attrs, checksum } = wanted;
  if (bundle === null) return { url, options: {}, [Symbol.dispose]: () => {} };
  const digest = await given.bringBlob({ identifier: bundle, attrs: { ...attrs, "oci.store": attrs["oci.store"] || storeOf(bundle) } }, opts);
  const origin = emptyRepository(given);
  const options = { protocols: "file" };
  try {
    await git(["init", "--quiet", "--bare", "--", origin.path]);
    await git(["-C", origin.path, "fetch", "--quiet", "--", given.store.content.pathOf(digest), "+refs/*:refs/*"], options);
    await git(["-C", origin.path, "cat-file", "-e", `${checksum}^{commit}`]).catch((error: unknown) => {
      throw new TbuildError("not_found", `Cannot find commit ${checksum} in the bundle "${bundle}"`, { cause: error });
    });
    return { url: origin.path, options, [Symbol.dispose]: origin[Symbol.dispose] };
  } catch (error) {
    origin[Symbol.dispose]();
    throw error;
  }
}

/** Without a name of its own, a layout is called as the blob in it. */
function storeOf(bundle: string): string {
  return bundle.replace(/^[^:]*:\/\//, "").replace(/@.*$/s, "");
}

function emptyRepository({ store }: GitCredentials): Disposable & { readonly path: string } {
  const dir = path.join(store.scratch, "git", `${newName()}.git`);
  mkdirSync(dir, { recursive: true });
  return { path: dir, [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }) };
}

/** Writes a bundle of a commit with its whole history, without submodules, into the empty directory `work`. */
export async function writeBundle(given: GitCredentials, git: Git, wanted: GitRequest, ref: GitRef, origin: GitOrigin, work: string): Promise<void> {
  using repository = emptyRepository(given);
  await git(["init", "--quiet", "--bare", "--", repository.path]);
  await fetchCommit(git, repository.path, origin, wanted, ref, "whole");
  const name = nameInBundle(wanted.ref);
  await git(["-C", repository.path, "update-ref", name, ref.commit]);
  await git(["-C", repository.path, "bundle", "create", "--quiet", path.join(work, BUNDLE), name]);
}

/** A name alone is taken for a branch's. Source: BuildKit, source/git/bundle.go. */
function nameInBundle(ref: string): string {
  if (ref === "" || isCommit(ref)) return "refs/heads/main";
  return ref.startsWith("refs/tags/") ? ref : `refs/heads/${ref.replace(/^refs\//, "").replace(/^heads\//, "")}`;
}

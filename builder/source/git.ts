import { mkdirSync, rmSync } from "node:fs";
import path from "node:path";
import { hasCode } from "../../cache/errors.js";
import { mountTree } from "../../cache/snapshot/mountTree.js";
import { redacted } from "../../frontend/dockerfile/gitUrl.js";
import type { StepOpts } from "../../solver/opRunner.js";
import { newName } from "../ops/snapshotStep.js";
import { gitAccess, type GitCredentials } from "./gitAccess.js";
import { gitOrigin, writeBundle } from "./gitBundle.js";
import { checkOut, inside, readObjects } from "./gitCheckout.js";
import { asked, gitIn } from "./gitClient.js";
import { checkCommit, findRef, type GitRef, isCommit, parseRefs, unknownRef } from "./gitRefs.js";
import { type GitRequest, pinOf, readGitRequest } from "./gitRequest.js";
import type { GitObjects, Source, SourceRequest } from "./source.js";

/**
 * `git://host/path#ref:subdir`: the files of one commit. What a name means is asked each time; a commit is fetched once, without
 * its history, into a bare repository of the store that all builds share. Files have the modes 644 and 755 and the commit's
 * time. Source: BuildKit source/git.
 */
export function createGitSource(given: GitCredentials, located: Map<string, Promise<GitRef>> = new Map()): Source {
  return {
    schemes: ["git"],
    async resolve(request, opts) {
      const wanted = readGitRequest(request);
      const key = JSON.stringify([wanted.url, wanted.ref, ...(wanted.bundle === null ? [] : [wanted.bundle, wanted.checksum])]);
      const found = await once(located, key, () => locate(given, wanted, request.attrs, opts));
      if (wanted.checksum !== "") checkCommit(found, wanted.checksum, redacted(wanted.url));
      const pin = pinOf(wanted, found);
      return {
        pin,
        attributes: { repository: redacted(wanted.url), commit: found.commit, subdir: wanted.subdir },
        meta: { kind: "git", ref: found.name, checksum: found.object, commit: found.commit, objects: (step) => objectsOf(given, wanted, found, request.attrs, step) },
        snapshot: async (step) => ({ kind: "snapshot", name: await snapshotOf(given, wanted, found, `git-${pin}`, request.attrs, step) }),
      };
    },
  };
}

/** What a name means stays the same for a build. A question that failed is asked again. */
async function once<T>(known: Map<string, Promise<T>>, key: string, ask: () => Promise<T>): Promise<T> {
  const answer = known.get(key) ?? ask();
  known.set(key, answer);
  answer.catch(() => known.delete(key));
  return await answer;
}

async function locate(given: GitCredentials, wanted: GitRequest, attrs: SourceRequest["attrs"], opts: StepOpts): Promise<GitRef> {
  const { url, bundle, checksum } = wanted;
  const ref = bundle !== null && wanted.ref === "" ? checksum : wanted.ref;
  if (isCommit(ref)) return { name: ref, commit: ref, object: ref };
  await using access = await gitAccess(given, url, attrs);
  const git = gitIn(given.store.scratch, access, opts);
  using origin = await asked(gitOrigin(given, git, wanted, opts), url, access);
  const list = async (patterns: readonly string[]) => parseRefs(await asked(git(["ls-remote", ...(ref === "" ? ["--symref"] : []), "--", origin.url, ...patterns], origin.options), url, access));
  const narrow = ref === "" ? ["HEAD"] : [`refs/heads/${ref}`, `refs/tags/${ref}`, `refs/tags/${ref}^{}`, `refs/${ref}`, `refs/${ref}^{}`, ref];
  const found = findRef(await list(narrow), ref);
  if (found !== null) return found;
  throw unknownRef(await list([]), ref, redacted(url));
}

async function objectsOf(given: GitCredentials, wanted: GitRequest, ref: GitRef, attrs: SourceRequest["attrs"], opts: StepOpts): Promise<GitObjects> {
  await using access = await gitAccess(given, wanted.url, attrs);
  const git = gitIn(given.store.scratch, access, opts);
  using origin = await asked(gitOrigin(given, git, wanted, opts), wanted.url, access);
  return await asked(readObjects(given, git, wanted, ref, origin, opts), wanted.url, access);
}

async function snapshotOf(given: GitCredentials, wanted: GitRequest, ref: GitRef, name: string, attrs: SourceRequest["attrs"], opts: StepOpts): Promise<string> {
  const { store } = given;
  if (await isThere(given, name)) return name;
  await using access = await gitAccess(given, wanted.url, attrs);
  const work = path.join(store.scratch, "git", newName());
  mkdirSync(work, { recursive: true });
  try {
    const git = gitIn(work, access, opts);
    using origin = await asked(gitOrigin(given, git, wanted, opts), wanted.url, access);
    const writing = wanted.checkoutBundle ? writeBundle(given, git, wanted, ref, origin, work) : checkOut(given, git, wanted, ref, origin, work, opts);
    await asked(writing, wanted.url, access);
    await commitTree(given, inside(work, wanted), name, opts);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return name;
}

async function isThere({ store }: GitCredentials, name: string): Promise<boolean> {
  try {
    await store.pin([name]);
    return true;
  } catch (error) {
    if (hasCode(error, "not_found")) return false;
    throw error;
  }
}

async function commitTree({ store }: GitCredentials, from: string, name: string, { signal }: StepOpts): Promise<void> {
  const key = newName();
  const mount = await store.snapshots.prepare(key, null);
  try {
    {
      await using tree = await mountTree(mount);
      await store.bulk.run("copyTree", { from, to: tree.path }, { signal });
    }
    await store.snapshots.commit(name, key);
  } catch (error) {
    await store.snapshots.remove(key);
    if (!hasCode(error, "already_exists")) throw error;
  }
  await store.pin([name]);
}

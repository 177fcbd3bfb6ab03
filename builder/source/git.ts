import { existsSync, lstatSync, lutimesSync, mkdirSync, readdirSync, realpathSync, rmSync } from "node:fs";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { cancelled, hasCode, TbuildError } from "../../cache/errors.js";
import { digestOf, type Digest } from "../../cache/oci/digest.js";
import { mountTree } from "../../cache/snapshot/mountTree.js";
import { type Lock, tryLock } from "../../cache/sys/lock.js";
import { redacted } from "../../frontend/dockerfile/gitUrl.js";
import type { StepOpts } from "../../solver/opRunner.js";
import { newName } from "../ops/snapshotStep.js";
import { type GitAccess, gitAccess, type GitCredentials } from "./gitAccess.js";
import { gitError, type GitOptions, runGit } from "./gitCommand.js";
import { checkCommit, findRef, type GitRef, isCommit, parseRefs, unknownRef } from "./gitRefs.js";
import type { Source, SourceRequest } from "./source.js";

const REMOTE = "http:https:git:ssh";

/** A git source op, read. */
interface Wanted {
  /** What git is given; may hold credentials. */
  readonly url: string;
  readonly ref: string;
  readonly subdir: string;
  readonly keepGitDir: boolean;
  readonly submodules: boolean;
  readonly checksum: string;
}

/**
 * `git://host/path#ref:subdir`: the files of one commit. What a name means is asked each time; a commit is fetched once, without
 * its history, into a bare repository of the store that all builds share. Files have the modes 644 and 755 and the commit's
 * time. Source: BuildKit source/git.
 */
export function createGitSource(given: GitCredentials): Source {
  return {
    schemes: ["git"],
    async resolve(request, opts) {
      const wanted = readRequest(request);
      const found = await locate(given, wanted, request.attrs, opts);
      if (wanted.checksum !== "") checkCommit(found, wanted.checksum, redacted(wanted.url));
      const pin = pinOf(wanted, found);
      return {
        pin,
        attributes: { repository: redacted(wanted.url), commit: found.commit, subdir: wanted.subdir },
        snapshot: async (step) => ({ kind: "snapshot", name: await snapshotOf(given, wanted, found, `git-${pin}`, request.attrs, step) }),
      };
    },
  };
}

function readRequest({ identifier, attrs }: SourceRequest): Wanted {
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
  };
}

function splitOnce(text: string, separator: string): readonly [string, string?] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

/** With `.git`, more than the files counts: what was asked for is written there. */
function pinOf({ url, ref, subdir, keepGitDir, submodules }: Wanted, { commit }: GitRef): Digest {
  const origin = keepGitDir ? [redacted(url), ref] : [];
  return digestOf(JSON.stringify(["tbuild.git.v1", commit, subdir, keepGitDir, submodules, ...origin]));
}

async function locate(given: GitCredentials, { url, ref }: Wanted, attrs: SourceRequest["attrs"], opts: StepOpts): Promise<GitRef> {
  if (isCommit(ref)) return { name: ref, commit: ref, object: ref };
  await using access = await gitAccess(given, url, attrs);
  const git = gitIn(given.store.scratch, access, opts);
  const list = async (patterns: readonly string[]) => parseRefs(await asked(git(["ls-remote", "--", url, ...patterns]), url, access));
  const narrow = ref === "" ? ["HEAD"] : [`refs/heads/${ref}`, `refs/tags/${ref}`, `refs/tags/${ref}^{}`, `refs/${ref}`, `refs/${ref}^{}`, ref];
  const found = findRef(await list(narrow), ref);
  if (found !== null) return found;
  throw unknownRef(await list([]), ref, redacted(url));
}

type Git = (args: readonly string[], further?: Partial<GitOptions>) => Promise<string>;

function gitIn(cwd: string, { settings, env }: Pick<GitAccess, "settings" | "env">, { signal }: StepOpts): Git {
  return (args, further = {}) => runGit(args, { cwd, protocols: REMOTE, settings, env, signal, ...further });
}

async function asked<T>(answer: Promise<T>, url: string, { hint }: GitAccess): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    throw gitError(error, url, hint);
  }
}

async function snapshotOf(given: GitCredentials, wanted: Wanted, ref: GitRef, name: string, attrs: SourceRequest["attrs"], opts: StepOpts): Promise<string> {
  const { store } = given;
  if (await isThere(given, name)) return name;
  await using access = await gitAccess(given, wanted.url, attrs);
  const work = path.join(store.scratch, "git", newName());
  mkdirSync(work, { recursive: true });
  try {
    const git = gitIn(work, access, opts);
    await asked(checkOut(given, git, wanted, ref, work, opts), wanted.url, access);
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

async function checkOut(given: GitCredentials, git: Git, wanted: Wanted, ref: GitRef, work: string, opts: StepOpts): Promise<void> {
  const bare = await fetched(given, git, wanted, ref, opts);
  await git(["init", "--quiet"]);
  await git(["fetch", "--quiet", "--depth=1", "--", bare, ref.commit], { protocols: "file" });
  await git(["checkout", "--quiet", "--detach", ref.commit, "--"]);
  await git(["remote", "add", "--", "origin", redacted(wanted.url).replace("***@", "")]);
  if (wanted.submodules && existsSync(path.join(work, ".gitmodules"))) {
    await git(["submodule", "--quiet", "update", "--init", "--recursive", "--depth=1"]);
  }
  const time = (await git(["show", "-s", "--format=%ct", ref.commit])).trim();
  if (!wanted.keepGitDir) removeGitFiles(work);
  opts.report.log(2, Buffer.from(`${ref.commit}\t${ref.name}\n`));
  setTimes(work, Number(time));
}

/** The shared repository with the commit in it. One process at a time works on it. */
async function fetched({ store }: GitCredentials, git: Git, { url }: Wanted, ref: GitRef, opts: StepOpts): Promise<string> {
  const bare = path.join(store.root, "git", digestOf(redacted(url)).slice("sha256:".length));
  mkdirSync(path.dirname(bare), { recursive: true, mode: 0o700 });
  using _lock = await locked(`${bare}.lock`, opts.signal);
  if (!existsSync(path.join(bare, "HEAD"))) await git(["init", "--quiet", "--bare", "--", bare]);
  // A fetch that was killed leaves these, and git would wait for nobody.
  for (const name of readdirSync(bare).filter((entry) => entry.endsWith(".lock"))) rmSync(path.join(bare, name), { force: true });
  const has = () => git(["-C", bare, "cat-file", "-e", `${ref.commit}^{commit}`]).then(() => true, () => false);
  if (await has()) return bare;
  const from = isCommit(ref.name) ? ref.commit : ref.name;
  const shallow = git(["-C", bare, "fetch", "--quiet", "--no-tags", "--depth=1", "--", url, `+${from}:refs/tbuild/${ref.commit}`]);
  // Not every server hands out a commit that is no tip: then its branches and tags have it.
  if (isCommit(ref.name)) await shallow.catch(async () => git(["-C", bare, "fetch", "--quiet", "--", url, "+refs/heads/*:refs/tbuild/heads/*", "+refs/tags/*:refs/tbuild/tags/*"]));
  else await shallow;
  if (await has()) return bare;
  throw new TbuildError("not_found", `Cannot find commit ${ref.commit} in the Git repository "${redacted(url)}"`);
}

async function locked(file: string, signal: AbortSignal): Promise<Lock> {
  for (;;) {
    const lock = tryLock(file);
    if (lock !== null) return lock;
    await delay(20);
    if (signal.aborted) throw cancelled(signal);
  }
}

/** The subdirectory asked for, which must be one of the repository's own. */
function inside(work: string, { subdir, url }: Wanted): string {
  const dir = path.join(work, subdir);
  const stat = lstatSync(dir, { throwIfNoEntry: false });
  const real = stat === undefined ? "" : realpathSync(dir);
  if (stat !== undefined && (real === realpathSync(work) || real.startsWith(`${realpathSync(work)}/`)) && lstatSync(real).isDirectory()) return real;
  throw new TbuildError("not_found", `Cannot find the directory "${subdir}" in the Git repository "${redacted(url)}"`);
}

/** Everything has the commit's time, so that two checkouts are the same files. */
function setTimes(dir: string, seconds: number): void {
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    if (entry.isDirectory()) setTimes(path.join(dir, entry.name), seconds);
    else lutimesSync(path.join(dir, entry.name), seconds, seconds);
  }
  lutimesSync(dir, seconds, seconds);
}

/** `.git` of the work tree and of submodules. */
function removeGitFiles(dir: string): void {
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    const at = path.join(dir, entry.name);
    if (entry.name === ".git") rmSync(at, { recursive: true, force: true });
    else if (entry.isDirectory()) removeGitFiles(at);
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

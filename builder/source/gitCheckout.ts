import { existsSync, lstatSync, lutimesSync, mkdirSync, readdirSync, realpathSync, rmSync } from "node:fs";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { cancelled, TbuildError } from "../../cache/errors.js";
import { digestOf } from "../../cache/oci/digest.js";
import { type Lock, tryLock } from "../../cache/sys/lock.js";
import { redacted } from "../../frontend/dockerfile/gitUrl.js";
import type { StepOpts } from "../../solver/opRunner.js";
import type { GitCredentials } from "./gitAccess.js";
import type { Git } from "./gitClient.js";
import { findPointers, resolvePointers } from "./gitLfs.js";
import { fetchCommit, type GitOrigin, wholeInstead } from "./gitFetch.js";
import type { GitRef } from "./gitRefs.js";
import type { GitRequest } from "./gitRequest.js";
import type { GitObjects } from "./source.js";
import { lfsServer } from "./lfsServer.js";

/** Writes the files of a commit into the empty directory `work`, which becomes a work tree; all have the commit's time. */
export async function checkOut(given: GitCredentials, git: Git, wanted: GitRequest, ref: GitRef, origin: GitOrigin, work: string, opts: StepOpts): Promise<void> {
  const bare = await fetched(given, git, wanted, ref, origin, opts);
  await git(["init", "--quiet"]);
  await git(["fetch", "--quiet", "--depth=1", "--", bare, ref.commit], { protocols: "file" });
  await git(["checkout", "--quiet", "--detach", ref.commit, "--"]);
  if (wanted.keepGitDir && ref.name.startsWith("refs/heads/")) await git(["-c", "core.logAllRefUpdates=false", "update-ref", ref.name, ref.commit]);
  await git(["remote", "add", "--", "origin", redacted(wanted.url).replace("***@", "")]);
  if (wanted.submodules && existsSync(path.join(work, ".gitmodules"))) {
    const update = (...depth: readonly string[]) => git(["submodule", "--quiet", "update", "--init", "--recursive", ...depth]);
    await update("--depth=1").catch((error: unknown) => wholeInstead(error, update));
  }
  await getLargeFiles(given, git, work, wanted, opts);
  const time = (await git(["show", "-s", "--format=%ct", ref.commit])).trim();
  if (!wanted.keepGitDir) removeGitFiles(work);
  opts.report.log(2, Buffer.from(`${ref.commit}\t${ref.name}\n`));
  setTimes(work, Number(time));
}

/** The bytes of a commit, and of the tag that names it: what signatures are about. Both are text. */
export async function readObjects(given: GitCredentials, git: Git, wanted: GitRequest, ref: GitRef, origin: GitOrigin, opts: StepOpts): Promise<GitObjects> {
  const bare = await fetched(given, git, wanted, ref, origin, opts);
  const read = async (type: string, digest: string) => Buffer.from(await git(["-C", bare, "cat-file", type, digest]));
  const commit = await read("commit", ref.commit);
  if (ref.object === ref.commit) return { commit, tag: null };
  const fetchTag = () => git(["-C", bare, "fetch", "--quiet", "--no-tags", "--", origin.url, `+${ref.name}:refs/tbuild/${ref.object}`], origin.options);
  // The commit alone may have come with another name.
  const tag = await read("tag", ref.object).catch(async () => {
    await fetchTag();
    return await read("tag", ref.object);
  });
  return { commit, tag };
}

/** Files that the repository keeps on an LFS server, also those of submodules. Without such a server their pointers stay, with a warning. */
async function getLargeFiles(given: GitCredentials, git: Git, work: string, { url, attrs }: GitRequest, opts: StepOpts): Promise<void> {
  const found = (await git(["ls-files", "-z", "--recurse-submodules", "--", ":(attr:filter=lfs)"])).split("\0").filter((name) => name !== "");
  const pointers = findPointers(found.map((name) => path.join(work, name)));
  if (pointers.length === 0) return;
  const configured = await git(["config", "--file", ".lfsconfig", "--get", "lfs.url"]).catch(() => "");
  const server = lfsServer(given.secrets, url, configured.trim(), attrs);
  if (await resolvePointers(pointers, { content: given.store.content, transport: given.transport, server }, opts)) return;
  const message = `"${redacted(server.url)}" is no LFS server: ${pointers.length} files stay pointers, such as "${path.relative(work, pointers[0]!.file)}"`;
  opts.report.warn({ rule: null, message, detail: "", url: null, at: null });
}

/** The shared repository with the commit in it. One process at a time works on it. */
async function fetched({ store }: GitCredentials, git: Git, wanted: GitRequest, ref: GitRef, origin: GitOrigin, opts: StepOpts): Promise<string> {
  const bare = path.join(store.root, "git", digestOf(redacted(wanted.url)).slice("sha256:".length));
  mkdirSync(path.dirname(bare), { recursive: true, mode: 0o700 });
  using _lock = await locked(`${bare}.lock`, opts.signal);
  if (!existsSync(path.join(bare, "HEAD"))) await git(["init", "--quiet", "--bare", "--", bare]);
  // A fetch that was killed leaves these, and git would wait for nobody.
  for (const name of readdirSync(bare).filter((entry) => entry.endsWith(".lock"))) rmSync(path.join(bare, name), { force: true });
  await fetchCommit(git, bare, origin, wanted, ref, "shallow");
  return bare;
}

async function locked(file: string, signal: AbortSignal): Promise<Lock> {
  for (;;) {
    const lock = tryLock(file);
    if (lock !== null) return lock;
    await delay(20);
    if (signal.aborted) throw cancelled(signal);
  }
}

/** The subdirectory asked for, which must be one of the repository's own. @throws {TbuildError} not_found */
export function inside(work: string, { subdir, url }: GitRequest): string {
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

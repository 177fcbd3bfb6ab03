import { readdirSync, statSync } from "node:fs";
import path from "node:path";
import { isArchive } from "../../../cache/tree/unpack.js";
import { fileStep } from "../../../frontend/dockerfile/convertNodes.js";
import { parseGitUrl, redacted } from "../../../frontend/dockerfile/gitUrl.js";
import { defaultCopy, type Output } from "../../../solver/llb/state.js";
import { downloadStep, FILE, gitStep, unpackStep } from "../../context/steps.js";
import type { FrontendHost } from "./host.js";
import { askedEpoch, type FrontendOpt } from "./frontendOpt.js";

/** The build context of a client. */
export interface MainTree {
  /** "local" is the client's own directory. */
  readonly context: "local" | Output;
  /** The Dockerfile itself, when the client gave no directory but that; it is called {@link FILE}. */
  readonly isFile: boolean;
  /** Seconds since the epoch of what was fetched; null when that has no time. */
  readonly time: number | null;
}

const UPLOAD = /^https?:\/\/buildkit-session\//;

/**
 * What the options say that the context is: a Git repository, an archive or a Dockerfile by URL (also one that the client
 * uploads), a tree of the inputs, or the client's directory. Source: BuildKit frontend/dockerui/context.go.
 * @throws {TbuildError} invalid_argument; what fetching it throws
 */
export async function mainTree(opt: FrontendOpt, host: FrontendHost): Promise<MainTree> {
  const { context, ...rest } = await givenTree(opt, host);
  const dir = opt["contextsubdir"] ?? "";
  return { ...rest, context: context === "local" || dir === "" ? context : directoryOf(context, dir) };
}

async function givenTree(opt: FrontendOpt, host: FrontendHost): Promise<MainTree> {
  const url = opt[opt["contextkey"] ?? "context"] ?? "";
  const git = UPLOAD.test(url) ? null : parseGitUrl(url);
  if (git !== null) return await checkedOut(gitStep(git, redacted(url), keepsGitDir(opt)), opt, host);
  if (/^https?:\/\//.test(url)) return await downloaded(url, opt, host);
  return { context: host.inputs.get("context") ?? "local", isFile: false, time: null };
}

/** A checkout has the time of its commit, which is read when it is asked for. */
async function checkedOut(context: Output, opt: FrontendOpt, host: FrontendHost): Promise<MainTree> {
  if (!wantsTime(opt)) return { context, isFile: false, time: null };
  await using tree = await host.open(context);
  return { context, isFile: false, time: Math.floor(statSync(tree.path).mtimeMs / 1000) };
}

/** True when SOURCE_DATE_EPOCH is to be that of the context. */
export function wantsTime(opt: FrontendOpt): boolean {
  return askedEpoch(opt) === "context";
}

function keepsGitDir(opt: FrontendOpt): boolean {
  return /^(?:1|t|true)$/i.test(opt["build-arg:BUILDKIT_CONTEXT_KEEP_GIT_DIR"] ?? "");
}

async function downloaded(url: string, opt: FrontendOpt, host: FrontendHost): Promise<MainTree> {
  const source = downloadStep(url, null, UPLOAD.test(url) ? "uploaded" : redacted(url));
  await using tree = await host.open(source);
  const file = path.join(tree.path, FILE);
  const time = Math.floor(statSync(file).mtimeMs / 1000);
  if (!isArchive(file)) return { context: source, isFile: true, time: time === 0 ? null : time };
  const context = unpackStep(source);
  return { context, isFile: false, time: time === 0 && wantsTime(opt) ? await latestIn(context, host) : time };
}

/** The time of the latest file. */
async function latestIn(context: Output, host: FrontendHost): Promise<number | null> {
  await using tree = await host.open(context);
  const files = readdirSync(tree.path, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const times = files.map((entry) => statSync(path.join(entry.parentPath, entry.name)).mtimeMs);
  return times.length === 0 ? null : Math.floor(times.reduce((a, b) => Math.max(a, b)) / 1000);
}

function directoryOf(source: Output, dir: string): Output {
  const action = () => ({ ...defaultCopy, src: path.posix.join("/", dir), dest: "/", dirContents: true });
  return fileStep(null, [{ source, action }], { name: `[internal] context directory ${dir}`, at: [], ignoreCache: false, platform: null });
}

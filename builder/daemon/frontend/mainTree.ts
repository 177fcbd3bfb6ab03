import path from "node:path";
import { isArchive } from "../../../cache/tree/unpack.js";
import { fileStep } from "../../../frontend/dockerfile/convertNodes.js";
import { parseGitUrl, redacted } from "../../../frontend/dockerfile/gitUrl.js";
import { defaultCopy, type Output } from "../../../solver/llb/state.js";
import { downloadStep, FILE, gitStep, unpackStep } from "../../context/steps.js";
import type { FrontendHost } from "./host.js";
import type { FrontendOpt } from "./frontendOpt.js";

/** The build context of a client. */
export interface MainTree {
  /** "local" is the client's own directory. */
  readonly context: "local" | Output;
  /** What the Dockerfile is in, unless the client gives it apart: the whole of what is fetched. Null when nothing is. */
  readonly files: Output | null;
  /** The Dockerfile itself, when the client gave no directory but that; it is called {@link FILE}. */
  readonly isFile: boolean;
  /** What is fetched for it, as it comes; null when nothing is. */
  readonly fetched: Output | null;
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
  if (git !== null) return checkedOut(gitStep(git, redacted(url), keepsGitDir(opt)));
  if (/^https?:\/\//.test(url)) return await downloaded(url, host);
  return { context: host.inputs.get("context") ?? "local", files: null, isFile: false, fetched: null };
}

function checkedOut(context: Output): MainTree {
  return { context, files: context, isFile: false, fetched: context };
}

function keepsGitDir(opt: FrontendOpt): boolean {
  return /^(?:1|t|true)$/i.test(opt["build-arg:BUILDKIT_CONTEXT_KEEP_GIT_DIR"] ?? "");
}

async function downloaded(url: string, host: FrontendHost): Promise<MainTree> {
  const source = downloadStep(url, null, UPLOAD.test(url) ? "uploaded" : redacted(url));
  await using tree = await host.open(source);
  const isFile = !isArchive(path.join(tree.path, FILE));
  const context = isFile ? source : unpackStep(source);
  return { context, files: context, isFile, fetched: source };
}

function directoryOf(source: Output, dir: string): Output {
  const action = () => ({ ...defaultCopy, src: path.posix.join("/", dir), dest: "/", dirCopyContents: true });
  return fileStep(null, [{ source, action }], { name: `[internal] context directory ${dir}`, at: [], ignoreCache: false, platform: null });
}

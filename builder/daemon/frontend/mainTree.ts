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
  /** The Dockerfile itself, when the client gave no directory but that; it is called {@link FILE}. */
  readonly isFile: boolean;
}

const UPLOAD = /^https?:\/\/buildkit-session\//;

/**
 * What the options say that the context is: a Git repository, an archive or a Dockerfile by URL (also one that the client
 * uploads), a tree of the inputs, or the client's directory. Source: BuildKit frontend/dockerui/context.go.
 * @throws {TbuildError} invalid_argument; what fetching it throws
 */
export async function mainTree(opt: FrontendOpt, host: FrontendHost): Promise<MainTree> {
  const { context, isFile } = await givenTree(opt, host);
  const dir = opt["contextsubdir"] ?? "";
  return { isFile, context: context === "local" || dir === "" ? context : directoryOf(context, dir) };
}

async function givenTree(opt: FrontendOpt, host: FrontendHost): Promise<MainTree> {
  const url = opt[opt["contextkey"] ?? "context"] ?? "";
  const git = UPLOAD.test(url) ? null : parseGitUrl(url);
  if (git !== null) return { context: gitStep(git, redacted(url), keepsGitDir(opt)), isFile: false };
  if (/^https?:\/\//.test(url)) return await downloaded(url, host);
  return { context: host.inputs.get("context") ?? "local", isFile: false };
}

function keepsGitDir(opt: FrontendOpt): boolean {
  return /^(?:1|t|true)$/i.test(opt["build-arg:BUILDKIT_CONTEXT_KEEP_GIT_DIR"] ?? "");
}

async function downloaded(url: string, host: FrontendHost): Promise<MainTree> {
  const source = downloadStep(url, null, UPLOAD.test(url) ? "uploaded" : redacted(url));
  await using tree = await host.open(source);
  const isFile = !isArchive(path.join(tree.path, FILE));
  return { context: isFile ? source : unpackStep(source), isFile };
}

function directoryOf(source: Output, dir: string): Output {
  const action = () => ({ ...defaultCopy, src: path.posix.join("/", dir), dest: "/", dirContents: true });
  return fileStep(null, [{ source, action }], { name: `[internal] context directory ${dir}`, at: [], ignoreCache: false, platform: null });
}

import path from "node:path";
import { hasCode, TbuildError } from "../../../cache/errors.js";
import { sourceStep } from "../../../frontend/dockerfile/convertNodes.js";
import { parseNumberedIgnore } from "../../../frontend/dockerignore.js";
import type { Output } from "../../../solver/llb/state.js";
import { FILE } from "../../context/steps.js";
import { resolvedInRoot } from "../../executor/rootFile.js";
import type { IgnoreFile } from "../../ignoreFile.js";
import { readText, type TextFile } from "../../textFile.js";
import type { FrontendOpt } from "./frontendOpt.js";
import type { FrontendHost } from "./host.js";
import type { MainTree } from "./mainTree.js";

/** The texts of a build. */
export interface ClientTexts {
  readonly dockerfile: TextFile;
  /** What the Dockerfile was read from. */
  readonly from: Output | null;
  /** The Dockerfile's own ignore file, else that of the client's context; null when there is none. */
  readonly ignoreFile: IgnoreFile | null;
}

/**
 * Reads Dockerfile and ignore file: from the client's directory `dockerfile`, or from a context that is fetched unless
 * `dockerfilekey` says otherwise. An ignore file of the context counts for the client's own directory only.
 * @throws {TbuildError} not_found, invalid_argument
 */
export async function readTexts(opt: FrontendOpt, main: MainTree, host: FrontendHost): Promise<ClientTexts> {
  const file = main.isFile ? FILE : (opt["filename"] ?? "Dockerfile");
  const names = candidates(file);
  const from = dockerfileTree(opt, main, names, host);
  await using tree = await host.open(from);
  const dockerfile = readFirst(tree.path, names.files);
  const own = readOptional(tree.path, names.ignoreFile);
  const wanted = main.context === "local" && own === null;
  const ignoreFile = wanted ? await contextIgnore(host) : main.context === "local" ? own : null;
  return { dockerfile, from, ignoreFile: ignoreFile === null ? null : { name: ignoreFile.name, ...parseNumberedIgnore(ignoreFile.bytes.toString("utf8")) } };
}

interface Candidates {
  /** Best first. */
  readonly files: readonly string[];
  readonly ignoreFile: string;
}

/** "dockerfile" will do where "Dockerfile" is asked for. */
function candidates(file: string): Candidates {
  const lower = path.posix.join(path.posix.dirname(file), "dockerfile");
  return { files: path.posix.basename(file) === "Dockerfile" ? [file, lower] : [file], ignoreFile: `${file}.dockerignore` };
}

function dockerfileTree(opt: FrontendOpt, main: MainTree, { files, ignoreFile }: Candidates, { inputs }: FrontendHost): Output | null {
  const forced = opt["dockerfilekey"];
  const given = inputs.get("dockerfile");
  if (forced === undefined && main.files !== null) return main.files;
  if (forced === undefined && given !== undefined) return given;
  return clientFiles(forced ?? "dockerfile", [files[0]!, ignoreFile, ...files.slice(1)], `load build definition from ${files[0]}`);
}

/** Some files of a directory of the client's, always sent anew. */
export function clientFiles(local: string, paths: readonly string[], what: string, sharedKey = local): Output {
  const attrs = { "local.followpaths": JSON.stringify(paths), "local.sharedkeyhint": sharedKey, "local.differ": "none" };
  return sourceStep(`local://${local}`, attrs, `[internal] ${what}`, [], null);
}

/** `.dockerignore` of a directory of the client's; null when there is none, or the client gives no such directory. */
async function contextIgnore(host: FrontendHost): Promise<TextFile | null> {
  const name = ".dockerignore";
  try {
    await using tree = await host.open(clientFiles("context", [name], `load ${name}`, `context-${name}`));
    return readOptional(tree.path, name);
  } catch (error) {
    // Whoever copies from it hears that it is not there.
    if (hasCode(error, "not_found") || hasCode(error, "unsupported")) return null;
    throw error;
  }
}

function readFirst(root: string, names: readonly string[]): TextFile {
  for (const name of names) {
    const text = readOptional(root, name);
    if (text !== null) return text;
  }
  throw new TbuildError("not_found", `failed to read dockerfile: open ${names[0]}: no such file or directory`);
}

/** A file in a tree, whose links do not lead out; null when it is not there. */
export function readOptional(root: string, name: string): TextFile | null {
  const file = resolvedInRoot(root, name);
  if (file === null) return null;
  try {
    return readText(file, name);
  } catch (error) {
    if (hasCode(error, "not_found")) return null;
    throw error;
  }
}

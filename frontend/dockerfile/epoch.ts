import { type SourceRange, type TbuildError, withRange } from "../../cache/errors.js";
import { isDigest } from "../../cache/oci/digest.js";
import type { Output } from "../../solver/llb/state.js";
import type { FrontendOptions, NamedContext } from "../options.js";
import type { ContextFinder } from "./contextNamed.js";
import { sourceStep } from "./convertNodes.js";
import { badValue, located, refused } from "./errors.js";
import { expandWord } from "./expand.js";
import { gitSource } from "./gitSource.js";
import { parseGitUrl, redacted } from "./gitUrl.js";
import type { ArgInstruction, Word } from "./instruction.js";
import { isHttp } from "./instructions/remote.js";
import { type Env, setEnv } from "./scopeEnv.js";
import type { Sections } from "./stages.js";

/** What a file is read with from its global ARGs on. */
export interface Dated {
  /** SOURCE_DATE_EPOCH in seconds; null when the build has none. */
  readonly epoch: number | null;
  /** With the seconds for a word that stood for them. */
  readonly globals: Env;
  readonly options: FrontendOptions;
}

/** What a word can name. */
interface Known extends Pick<Dated, "globals" | "options"> {
  readonly sections: Sections;
  readonly contexts: ContextFinder;
  readonly escape: "\\" | "`";
}

const NAME = "SOURCE_DATE_EPOCH";

/**
 * The time of the build's image: a build argument or global ARG SOURCE_DATE_EPOCH, else the option. It is seconds, "context" for
 * the time of the build context, a named context that is fetched, or a stage of nothing but one remote ADD.
 * Source: BuildKit, dockerfile2llb/epoch.go. @throws {TbuildError} invalid_argument; what fetching throws
 */
export async function dated({ sections, contexts, escape, globals, options }: Known): Promise<Dated> {
  const text = options.buildArgs.get(NAME) ?? globals.get(NAME) ?? "";
  if (text === "") return { epoch: options.epoch, globals, options };
  if (/^\d{1,11}$/.test(text)) return { epoch: Number(text), globals, options };
  const source = text === "context" ? text : named(text, { sections, contexts, escape, globals, options });
  const found = source === null ? null : await timeOf(source, options, whereGiven(sections));
  const epoch = found ?? (source === "context" ? options.epoch : null);
  const value = epoch === null ? "" : String(epoch);
  return {
    epoch,
    globals: globals.has(NAME) ? setEnv(globals, NAME, value) : globals,
    options: options.buildArgs.has(NAME) ? { ...options, buildArgs: new Map([...options.buildArgs, [NAME, value]]) } : options,
  };
}

async function timeOf(source: "context" | Output, { sourceTime }: FrontendOptions, at: SourceRange): Promise<number | null> {
  try {
    return await sourceTime(source);
  } catch (error) {
    throw withRange(error, at);
  }
}

/** Null for a context that has no time. */
function named(word: string, known: Known): Output | null {
  const { sections, contexts, options } = known;
  const use = contexts(word, options.platform);
  const at = whereGiven(sections);
  if (use !== null) return contextSource(use.context, at);
  const stage = sections.stages.find(({ from }) => from.as === word.toLowerCase());
  if (stage === undefined) throw badValue(NAME, word, at, "It counts seconds since 1970-01-01, or names a context or a stage that is fetched");
  return stageSource(stage, known);
}

function whereGiven({ globals, stages }: Sections): SourceRange {
  const arg = globals.find(({ args }) => args.some(({ key }) => key === NAME));
  return (arg ?? stages.at(-1)!.from).at;
}

function contextSource(context: NamedContext, at: SourceRange): Output | null {
  if (context.kind === "http") return download(context.url, "", at);
  return context.kind === "git" ? remote(context.url, "", at) : null;
}

/** The one ADD of a stage of which nothing else is wanted but its time. */
function stageSource({ from, body }: Sections["stages"][number], { globals, options, escape }: Known): Output {
  const read = (word: Word, env: Env) => expandWord(word, env, escape, from.at).text;
  if (read(from.image, globals) !== "scratch") throw refused(`${NAME} stage must use FROM scratch`, from.at);
  let env = globals;
  let source: Output | null = null;
  for (const ins of body) {
    if (ins.name === "arg") env = withArgs(ins, env, options, read);
    else if (ins.name !== "add") throw refused(`${NAME} stage does not meet source-only requirements: unsupported ${ins.keyword} instruction`, ins.at);
    else if (source !== null || ins.heredocs.length > 0 || ins.sources.length !== 1) throw notOne(ins.at);
    else source = remote(read(ins.sources[0]!, env), ins.checksum === null ? "" : read(ins.checksum, env), ins.at);
  }
  if (source === null) throw notOne(from.at);
  return source;
}

function withArgs({ args }: ArgInstruction, before: Env, { buildArgs }: FrontendOptions, read: (word: Word, env: Env) => string): Env {
  let env = before;
  for (const { key, value } of args) {
    const known = buildArgs.get(key) ?? (value === null ? null : read(value, env));
    if (known !== null) env = setEnv(env, key, known);
  }
  return env;
}

function notOne(at: SourceRange): TbuildError {
  return refused(`${NAME} stage must contain exactly one remote ADD`, at);
}

/** A download or a repository, as it is before anything is copied from it. */
function remote(text: string, checksum: string, at: SourceRange): Output {
  if (isHttp(text)) return download(text, checksum, at);
  const url = located(at, () => parseGitUrl(text));
  if (url === null || url.ambiguous) throw refused(`${NAME} stage source must be a single HTTP(S) or Git ADD`, at);
  const { identifier, attrs } = gitSource(url, checksum === "" ? {} : { checksum });
  return sourceStep(identifier, attrs, stepName(text), [], null);
}

function download(url: string, checksum: string, at: SourceRange): Output {
  if (checksum !== "" && !isDigest(checksum)) throw badValue("--checksum", checksum, at);
  const attrs = { ...(checksum === "" ? {} : { "http.checksum": checksum }), "http.filename": "context" };
  return sourceStep(url, attrs, stepName(url), [], null);
}

function stepName(url: string): string {
  return `[internal] resolve ${NAME} ${redacted(url)}`;
}

import type { SourceRange } from "../../cache/errors.js";
import type { Platform } from "../../cache/oci/platform.js";
import type { Warning } from "../../solver/progress.js";
import type { FrontendOptions } from "../options.js";
import type { ContextFinder, ContextUse } from "./contextNamed.js";
import type { StageInstruction } from "./convertState.js";
import { noStages, noSuchIndex, notYetDefined, unknownTarget } from "./errors.js";
import type { ArgInstruction, FromInstruction, ParsedDockerfile } from "./instruction.js";
import { sourceWords } from "./instructions/sources.js";
import { suggest } from "./suggest.js";

/** What a stage begins with. */
export type Base =
  | { readonly kind: "scratch" }
  | { readonly kind: "stage"; readonly stage: Stage }
  | { readonly kind: "image"; readonly name: string }
  | { readonly kind: "context"; readonly use: ContextUse };

/** One FROM and what follows it. */
export interface Stage {
  /** From 0, in file order. */
  readonly index: number;
  /** Lower case. */
  readonly name: string | null;
  readonly from: FromInstruction;
  readonly base: Base;
  /** Of `--platform`; null means the target platform. */
  readonly platform: Platform | null;
  /** A named context of the stage's name: it is all that the stage is, and `body` is empty. */
  readonly replacedBy: ContextUse | null;
  readonly body: readonly StageInstruction[];
}

/** A file cut at its FROMs; names are not looked at yet. */
export interface Sections {
  readonly globals: readonly ArgInstruction[];
  readonly stages: readonly { readonly from: FromInstruction; readonly body: readonly StageInstruction[] }[];
}

/** Cuts a file into stages; the parser lets only ARG stand before. @throws {TbuildError} parse_failed when there is none */
export function splitStages(parsed: ParsedDockerfile): Sections {
  const globals: ArgInstruction[] = [];
  const stages: { from: FromInstruction; body: StageInstruction[] }[] = [];
  for (const ins of parsed.instructions) {
    const current = stages.at(-1);
    if (ins.name === "from") stages.push({ from: ins, body: [] });
    else if (current !== undefined) current.body.push(ins);
    else if (ins.name === "arg") globals.push(ins);
    else throw new Error(`The parser let ${ins.keyword} pass before FROM`);
  }
  const [first] = parsed.instructions;
  if (stages.length === 0 && first !== undefined) throw noStages(parsed.file, first.at);
  return { globals, stages };
}

/** The stage to build: by name whatever the case, else the last. @throws {TbuildError} not_found */
export function findTarget(stages: readonly Stage[], target: string | null): Stage {
  const wanted = target === null || target === "" ? stages.at(-1) : byName(stages, target);
  if (wanted !== undefined) return wanted;
  const names = stageNames(stages);
  throw unknownTarget(target ?? "", suggest(target ?? "", names), names);
}

/** Names of the stages that have one. */
export function stageNames(stages: readonly Stage[]): readonly string[] {
  return stages.flatMap((stage) => (stage.name === null ? [] : [stage.name]));
}

/** What `--from` can name. */
export interface Names {
  readonly stages: readonly Stage[];
  readonly contexts: ContextFinder;
  /** Of images. */
  readonly platform: Platform;
}

/**
 * What `--from=word` means in `user`: an earlier stage by name or index, any stage that a named context replaces, a named
 * context, else an image. @throws {TbuildError} invalid_argument for the stage itself, a later one, or an index out of range
 */
export function findSource(names: Names, user: Stage, word: string, at: SourceRange): Base {
  const { stages } = names;
  const isIndex = /^\d+$/.test(word);
  const found = isIndex ? stages[Number(word)] : (byName(stages, word, user.index) ?? byName(stages, word));
  if (found === undefined) {
    if (isIndex) throw noSuchIndex(word, user.index, at);
    return named(word, names.platform, names.contexts);
  }
  if (found.replacedBy !== null) return found.base;
  if (found.index >= user.index) throw notYetDefined(word, at, found === user);
  return { kind: "stage", stage: found };
}

/** What a name means that is no stage's. */
export function named(name: string, platform: Platform, contexts: ContextFinder): Base {
  if (name === "scratch") return { kind: "scratch" };
  const use = contexts(name, platform);
  return use === null ? { kind: "image", name } : { kind: "context", use };
}

/** True for `--no-cache`, or when the stage is named by `--no-cache-filter`. */
export function ignoresCache(stage: Stage, options: FrontendOptions): boolean {
  if (options.noCache === "all") return true;
  return options.noCache.some((name) => name.toLowerCase() === stage.name);
}

/** One warning for each name of `--no-cache-filter` that no stage has. */
export function unknownFilters(options: FrontendOptions, stages: readonly Stage[]): readonly Warning[] {
  const names = stageNames(stages);
  const wanted = options.noCache === "all" ? [] : options.noCache;
  return wanted.filter((name) => byName(stages, name) === undefined).map((name) => {
    const near = suggest(name, names);
    const detail = near === null ? "It has no effect: --no-cache-filter takes names of stages" : `Did you mean "${near}"?`;
    return { rule: null, message: `No stage is called "${name}", whose cache is to be ignored`, detail, url: null, at: null };
  });
}

/** Name for step names. A file that knows of one tree only needs none. */
export function stageLabel(stages: readonly Stage[], stage: Stage): string {
  const alone = stages.length === 1 && !stage.body.some((ins) => sourceWords(ins).length > 0 || hasMounts(ins));
  return alone ? "" : (stage.name ?? `stage-${stage.index}`);
}

function hasMounts(ins: StageInstruction): boolean {
  return ins.name === "run" && ins.mounts.length > 0;
}

/** The last stage of that name, whatever its case, among the first `count`. */
export function byName(stages: readonly Stage[], name: string, count: number = stages.length): Stage | undefined {
  const wanted = name.toLowerCase();
  for (let index = count - 1; index >= 0; index--) if (stages[index]!.name === wanted) return stages[index];
  return undefined;
}

import type { SourceRange, TbuildError } from "../../cache/errors.js";
import { type Platform, parsePlatform } from "../../cache/oci/platform.js";
import type { FrontendOptions } from "../options.js";
import type { StageInstruction } from "./convertState.js";
import { blank, collecting, noStages, noSuchIndex, notYetDefined, unknownTarget } from "./errors.js";
import { type ExpandResult, expandWord } from "./expand.js";
import type { ArgInstruction, FromInstruction, ParsedDockerfile, Word } from "./instruction.js";
import { sourceWords } from "./instructions/sources.js";
import { type WarningSink, violation } from "./lint.js";
import { type Env, lookup } from "./scopeEnv.js";
import { suggest } from "./suggest.js";

/** What a stage begins with. */
export type Base =
  | { readonly kind: "scratch" }
  | { readonly kind: "stage"; readonly stage: Stage }
  | { readonly kind: "image"; readonly name: string };

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

/** Resolves what each FROM names, top down; mistakes go to `errors` and that stage is taken as based on scratch. */
export function linkStages(
  sections: Sections,
  globals: Env,
  escape: "\\" | "`",
  warn: WarningSink,
  errors: TbuildError[],
): readonly Stage[] {
  const stages: Stage[] = [];
  for (const [index, { from, body }] of sections.stages.entries()) {
    const base = collecting(errors, from.at, () => readBase(from, stages, globals, escape, warn)) ?? { kind: "scratch" };
    const platform = collecting(errors, from.at, () => readPlatform(from, globals, escape, warn)) ?? null;
    stages.push({ index, name: from.as, from, base, platform, body });
  }
  return stages;
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

/**
 * What `--from=word` means in `user`: an earlier stage by name or index, else an image.
 * @throws {TbuildError} invalid_argument for the stage itself, a later one, or an index out of range
 */
export function findSource(stages: readonly Stage[], user: Stage, word: string, at: SourceRange): Base {
  const earlier = stages.slice(0, user.index);
  if (/^\d+$/.test(word)) return { kind: "stage", stage: stageAt(stages, user, Number(word), at) };
  const found = byName(earlier, word);
  if (found !== undefined) return { kind: "stage", stage: found };
  const later = byName(stages, word);
  if (later !== undefined) throw notYetDefined(word, at, later === user);
  return word === "scratch" ? { kind: "scratch" } : { kind: "image", name: word };
}

/** True for `--no-cache`, or when the stage is named by `--no-cache-filter`. */
export function ignoresCache(stage: Stage, options: FrontendOptions): boolean {
  if (options.noCache === "all") return true;
  return options.noCache.some((name) => name.toLowerCase() === stage.name);
}

/** Name for step names. A file that knows of one tree only needs none. */
export function stageLabel(stages: readonly Stage[], stage: Stage): string {
  const alone = stages.length === 1 && !stage.body.some((ins) => sourceWords(ins).length > 0 || hasMounts(ins));
  return alone ? "" : (stage.name ?? `stage-${stage.index}`);
}

function hasMounts(ins: StageInstruction): boolean {
  return ins.name === "run" && ins.mounts.length > 0;
}

function byName(stages: readonly Stage[], name: string): Stage | undefined {
  return stages.findLast((stage) => stage.name === name.toLowerCase());
}

function stageAt(stages: readonly Stage[], user: Stage, index: number, at: SourceRange): Stage {
  const stage = stages[index];
  if (stage === undefined) throw noSuchIndex(String(index), user.index, at);
  if (index >= user.index) throw notYetDefined(String(index), at, index === user.index);
  return stage;
}

function readBase(from: FromInstruction, earlier: readonly Stage[], globals: Env, escape: "\\" | "`", warn: WarningSink): Base {
  const { text, unmatched } = expandInFrom(from.image, from, globals, escape, warn);
  if (text === "") throw blank("the base of a stage", from.image, from.at, nearest(unmatched, globals));
  const stage = byName(earlier, text);
  if (stage !== undefined) return { kind: "stage", stage };
  return text === "scratch" ? { kind: "scratch" } : { kind: "image", name: text };
}

function readPlatform(from: FromInstruction, globals: Env, escape: "\\" | "`", warn: WarningSink): Platform | null {
  const word = from.platform;
  if (word === null) return null;
  const { text, unmatched } = expandInFrom(word, from, globals, escape, warn);
  if (text === "") throw blank("the platform of a stage", word, from.at, nearest(unmatched, globals));
  const platform = parsePlatform(text);
  if (/^\$\{?TARGETPLATFORM\}?$/.test(word)) warn(violation("RedundantTargetPlatform", from.at, word));
  if (!word.includes("$") && !namesPlatform(from.as, platform)) warn(violation("FromPlatformFlagConstDisallowed", from.at, text));
  return platform;
}

/** The variable that the first unknown one may have meant. */
function nearest(unmatched: readonly string[], globals: Env): string | null {
  const [unknown] = unmatched;
  return unknown === undefined ? null : suggest(unknown, globals.keys());
}

function namesPlatform(stage: string | null, { os, architecture }: Platform): boolean {
  return stage !== null && (stage.includes(os) || stage.includes(architecture));
}

function expandInFrom(word: Word, from: FromInstruction, globals: Env, escape: "\\" | "`", warn: WarningSink): ExpandResult {
  const result = expandWord(word, lookup(globals), escape, from.at);
  for (const name of result.unmatched) {
    warn(violation("UndefinedArgInFrom", from.at, name, suggest(name, globals.keys()) ?? ""));
  }
  return result;
}

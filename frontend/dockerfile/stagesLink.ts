import { hasCode, type SourceRange, type TbuildError } from "../../cache/errors.js";
import type { Platform } from "../../cache/oci/platform.js";
import type { ContextFinder } from "./contextNamed.js";
import { blank, collecting, notExpanded } from "./errors.js";
import { type ExpandResult, expandWord } from "./expand.js";
import type { FromInstruction, Word } from "./instruction.js";
import { type WarningSink, violation } from "./lint.js";
import { knownPlatform } from "./platformWord.js";
import type { Env } from "./scopeEnv.js";
import { type Base, type Sections, type Stage, byName, named } from "./stages.js";
import { suggest } from "./suggest.js";

/** What the words of all FROMs are read with. */
export interface LinkOptions {
  readonly globals: Env;
  readonly escape: "\\" | "`";
  /** To build for. */
  readonly platform: Platform;
  readonly contexts: ContextFinder;
  readonly warn: WarningSink;
}

interface Linking extends LinkOptions {
  /** Global ARGs, also those that have no value. */
  readonly declared: ReadonlySet<string>;
}

/** Resolves what each FROM names, top down; mistakes go to `errors` and that stage is taken as based on scratch. */
export function linkStages(sections: Sections, options: LinkOptions, errors: TbuildError[]): readonly Stage[] {
  const declared = new Set(sections.globals.flatMap(({ args }) => args.map(({ key }) => key)));
  const linking = { ...options, declared };
  const stages: Stage[] = [];
  for (const [index, { from, body }] of sections.stages.entries()) {
    const platform = collecting(errors, from.at, () => readPlatform(from, linking)) ?? null;
    const wanted = platform ?? linking.platform;
    const base = collecting(errors, from.at, () => readBase(from, stages, wanted, linking)) ?? { kind: "scratch" };
    const stage = { index, name: from.as, from, base, platform, replacedBy: null, body };
    const replacedBy = from.as === null ? null : linking.contexts(from.as, wanted);
    stages.push(replacedBy === null ? stage : { ...stage, base: { kind: "context", use: replacedBy }, replacedBy, body: [] });
  }
  return stages;
}

function readBase(from: FromInstruction, earlier: readonly Stage[], platform: Platform, linking: Linking): Base {
  const { text, unmatched } = expandInFrom(from.image, from, linking);
  if (text === "") throw blank("the base of a stage", from.image, from.where(from.image), nearest(unmatched, linking.globals));
  const stage = byName(earlier, text);
  return stage === undefined ? named(text, platform, linking.contexts) : { kind: "stage", stage };
}

function readPlatform(from: FromInstruction, linking: Linking): Platform | null {
  const word = from.platform;
  if (word === null) return null;
  const { text, unmatched } = expandInFrom(word, from, linking);
  const at = from.where(word);
  if (text === "") throw blank("the platform of a stage", word, at, nearest(unmatched, linking.globals));
  const { warn } = linking;
  const platform = unmatched.length === 0 ? knownPlatform(text, at) : expandedPlatform(word, text, nearest(unmatched, linking.globals), at);
  if (/^\$\{?TARGETPLATFORM\}?$/.test(word)) warn(violation("RedundantTargetPlatform", from.at, word));
  if (!word.includes("$") && !namesPlatform(from.as, platform)) warn(violation("FromPlatformFlagConstDisallowed", from.at, text));
  return platform;
}

/** A platform with variables that are not set, which is hardly one. */
function expandedPlatform(word: Word, text: string, suggestion: string | null, at: SourceRange): Platform {
  try {
    return knownPlatform(text, at);
  } catch (error) {
    if (!hasCode(error, "invalid_argument")) throw error;
    throw notExpanded("the platform of a stage", word, text, at, suggestion);
  }
}

/** The variable that the first unknown one may have meant. */
function nearest(unmatched: readonly string[], globals: Env): string | null {
  const [unknown] = unmatched;
  return unknown === undefined ? null : suggest(unknown, globals.keys());
}

function namesPlatform(stage: string | null, { os, architecture }: Platform): boolean {
  return stage !== null && (stage.includes(os) || stage.includes(architecture));
}

function expandInFrom(word: Word, from: FromInstruction, { globals, declared, escape, warn }: Linking): ExpandResult {
  const result = expandWord(word, globals, escape, from.at);
  for (const name of result.unmatched) {
    if (!declared.has(name)) warn(violation("UndefinedArgInFrom", from.at, name, suggest(name, globals.keys()) ?? ""));
  }
  return result;
}

import type { SourceRange } from "../../cache/errors.js";
import type { ContainerConfig, HistoryEntry, ImageConfig } from "../../cache/oci/descriptor.js";
import type { Platform } from "../../cache/oci/platform.js";
import type { ProxyEnv } from "../../solver/llb/op.js";
import type { Output } from "../../solver/llb/state.js";
import type { FrontendOptions } from "../options.js";
import type { ContextUse } from "./contextNamed.js";
import { type LocalReads, withRead } from "./contextSource.js";
import type { FromInstruction, Instruction } from "./instruction.js";
import type { LayeredMap } from "./layeredMap.js";
import type { WarningSink } from "./lint.js";
import type { Env } from "./scopeEnv.js";

/** What stands below a FROM. */
export type StageInstruction = Exclude<Instruction, FromInstruction>;

/** What a stage has come to after some of its instructions. Immutable: a handler returns the next one. */
export interface StageState {
  /** Root filesystem; null is the empty tree. */
  readonly root: Output | null;
  /** ENV and ARG values as RUN sees them. */
  readonly env: Env;
  /** Without what the stage's own instructions add to its history. */
  readonly image: ImageConfig;
  /** That, latest first; like the labels, it goes into the image when the stage ends. */
  readonly history: HistoryList;
  /** What ENV set in this stage; like the labels, it goes into the image's config when the stage ends. */
  readonly declared: LayeredMap<DeclaredEnv>;
  /** Labels of the image; they go into its config when the stage ends. */
  readonly labels: LayeredMap<string>;
  /** Declared ARGs in order, for the history of RUN. */
  readonly args: readonly DeclaredArg[];
  readonly step: StepCount;
  /** Ports that EXPOSE listed so far, with repetitions. */
  readonly exposed: number;
  /** Where this stage last used an instruction that counts once, or set an absolute or relative WORKDIR. */
  readonly seen: ReadonlyMap<string, SourceRange>;
  /** What the stage reads of the build context and of named local contexts. */
  readonly reads: LocalReads;
}

/** Entries of a history: a list, because thousands of instructions add one each. */
export type HistoryList = null | { readonly entry: HistoryEntry; readonly before: HistoryList };

/** A variable of the image's config, which keeps its place when it is set again. */
export interface DeclaredEnv {
  readonly value: string;
  readonly place: number;
}

/** An ARG of a stage; `value` null when nothing gives it one. */
export interface DeclaredArg {
  readonly key: string;
  readonly value: string | null;
}

/** How many named steps there are, and how many were named. */
export interface StepCount {
  readonly index: number;
  readonly total: number;
}

/** What stays the same for all instructions of a stage. */
export interface StageContext {
  readonly options: FrontendOptions;
  readonly escape: "\\" | "`";
  /** Global ARGs and the predefined ones. */
  readonly globals: Env;
  readonly platform: Platform;
  /** Stage name for step names; empty when there is only one. */
  readonly label: string;
  /** RFC 3339, for the history; null when whoever exports says it. */
  readonly created: string | null;
  readonly proxy: ProxyEnv | null;
  readonly ignoreCache: boolean;
  /** The instruction is an ONBUILD trigger of the base. */
  readonly trigger: boolean;
  /** Says whether the ignore file keeps a path of the build context out. */
  readonly isIgnored: (path: string) => boolean;
  /** Tree of the build context. */
  readonly buildContext: Output;
  /** Tree of a stage, image or named context in `--from`. @throws {TbuildError} when it is no earlier stage */
  sourceOf(from: string, at: SourceRange): Output | null;
  /** Tree of a named context, which is one step however often it is named. */
  contextTree(use: ContextUse, at: SourceRange): Output | null;
  readonly warn: WarningSink;
}

/** The image's run-time config. */
export function configOf(s: StageState): ContainerConfig {
  return s.image.config ?? {};
}

/** Where relative paths start. */
export function workingDir(s: StageState): string {
  return configOf(s).WorkingDir || "/";
}

/** `s` with fields of the run-time config replaced. */
export function withConfig(s: StageState, change: ContainerConfig): StageState {
  return { ...s, image: { ...s.image, config: Object.assign({}, configOf(s), change) } };
}

/** `s` with `name` remembered as used at `at`. */
export function withSeen(s: StageState, name: string, at: SourceRange): StageState {
  return { ...s, seen: new Map([...s.seen, [name, at]]) };
}

/** `s` with further paths, rooted at "/", marked as read in `tree` if that is a local context. */
export function withReads(s: StageState, tree: Output | null, paths: readonly string[]): StageState {
  return { ...s, reads: withRead(s.reads, tree, paths) };
}

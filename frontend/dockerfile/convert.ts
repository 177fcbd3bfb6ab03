import type { SourceRange, TbuildError } from "../../cache/errors.js";
import type { ImageConfig } from "../../cache/oci/descriptor.js";
import { formatPlatform } from "../../cache/oci/platform.js";
import type { Output } from "../../solver/llb/state.js";
import type { Warning } from "../../solver/progress.js";
import type { FrontendOptions } from "../options.js";
import { epochOf, globalArgs, predefinedArgs, proxyEnv, unusedBuildArgs } from "./args.js";
import { finishImage } from "./configImage.js";
import { type ContextUse, contextFinder } from "./contextNamed.js";
import { bindLocals, localTree } from "./contextSource.js";
import { contextTree } from "./contextTree.js";
import { contextImage } from "./convertImages.js";
import { convertStage, imageTree, startStage } from "./convertStage.js";
import type { StageContext, StageState } from "./convertState.js";
import { collecting, combine, failedCheck } from "./errors.js";
import type { ParsedDockerfile } from "./instruction.js";
import { checkTotal } from "./limits.js";
import { type WarningSink, applyCheck, parseCheck, violation } from "./lint.js";
import { parseDockerfile } from "./parse.js";
import { refuseWindows } from "./platformWord.js";
import type { Env } from "./scopeEnv.js";
import {
  type Base,
  type Names,
  type Stage,
  findSource,
  findTarget,
  ignoresCache,
  splitStages,
  stageLabel,
  unknownFilters,
} from "./stages.js";
import { linkStages } from "./stagesLink.js";
import { lintStages } from "./stagesLint.js";
import { type Reachable, baseImage, reach } from "./stagesReach.js";

/** A Dockerfile as a graph, not yet marshalled. */
export interface Converted {
  /** Root filesystem of the target; null is the empty tree. */
  readonly root: Output | null;
  readonly image: ImageConfig;
  readonly warnings: readonly Warning[];
}

/**
 * Parses, links and converts: the stages that the target needs become steps, the target's config the image's.
 * @throws {TbuildError} the first mistake in the file, located, with all others attached
 */
export async function convertDockerfile(text: string | Uint8Array, options: FrontendOptions): Promise<Converted> {
  const found: Warning[] = [];
  const warn: WarningSink = (warning) => found.push(warning);
  const parsed = parseDockerfile(text, options.file);
  const sections = splitStages(parsed);
  const predefined = predefinedArgs(options, options.target ?? sections.stages.at(-1)?.from.as ?? "");
  const globals = globalArgs(sections.globals, predefined, options, parsed.escape);
  parsed.emptyContinuations.forEach((at) => warn(violation("NoEmptyContinuation", at)));
  lintStages(sections, warn);
  const { escape } = parsed;
  const { platform } = options;
  const contexts = contextFinder(options.contexts);
  const errors: TbuildError[] = [];
  const stages = linkStages(sections, { globals, escape, platform, contexts, warn }, errors);
  const target = findTarget(stages, options.target);
  refuseWindows(platform, target.from.at);
  const names = { stages, contexts, platform };
  const needs = await reach(names, target, escape, options, errors);
  const epoch = epochOf(globals, options, target.from.at);
  const build: Build = { parsed, options, globals, names, needs, warn, epoch, trees: new Map() };
  const done = convertStages(build, errors);
  if (errors.length > 0) throw combine(errors);
  found.push(...unusedBuildArgs(options, predefined, [...parsed.instructions, ...[...needs.triggers.values()].flat()]));
  found.push(...unknownFilters(options, stages));
  return finish(done, target, build, found);
}

/** What all stages of one build share. */
interface Build {
  readonly parsed: ParsedDockerfile;
  readonly options: FrontendOptions;
  readonly globals: Env;
  readonly names: Names;
  readonly needs: Reachable;
  readonly warn: WarningSink;
  readonly epoch: number | null;
  /** The trees of named contexts that were used so far, and that of the build context. */
  readonly trees: Map<string, Output | null>;
}

interface ConvertedStage {
  readonly state: StageState;
  readonly context: StageContext;
}

type ConvertedStages = ReadonlyMap<Stage, ConvertedStage>;

function convertStages(build: Build, errors: TbuildError[]): ConvertedStages {
  const { stages, triggers } = build.needs;
  checkTotal(stages.map((stage) => ({ instructions: 1 + stage.body.length + (triggers.get(stage)?.length ?? 0), at: stage.from.at })));
  const done = new Map<Stage, ConvertedStage>();
  for (const stage of stages) {
    const parent = stage.base.kind === "stage" ? (done.get(stage.base.stage) ?? null) : null;
    const context = stageContext(stage, parent, build, done);
    const start = collecting(errors, stage.from.at, () => startStage(stage, build.needs, parent?.state ?? null, context));
    if (start !== undefined) done.set(stage, { context, state: convertStage(stage, build.needs, start, context, errors) });
  }
  return done;
}

function stageContext(stage: Stage, parent: ConvertedStage | null, build: Build, done: ConvertedStages): StageContext {
  const { options, globals, needs, names, warn, parsed } = build;
  const sources = new Map<string, Output | null>();
  const treeOf = (source: Base, at: SourceRange): Output | null => {
    if (source.kind === "stage") return done.get(source.stage)?.state.root ?? null;
    if (source.kind === "scratch") return null;
    if (source.kind === "context") return namedTree(source.use, at, build);
    return imageTree({ name: source.name, platform: options.platform, at, via: null }, needs, (pinned) => `FROM ${pinned}`);
  };
  return {
    options,
    escape: parsed.escape,
    globals,
    warn,
    platform: parent?.context.platform ?? (stage.base.kind === "scratch" ? null : stage.platform) ?? options.platform,
    label: stageLabel(names.stages, stage),
    created: parent?.context.created ?? createdOf(stage, build),
    proxy: proxyEnv(options.buildArgs),
    ignoreCache: ignoresCache(stage, options),
    trigger: false,
    buildContext: once(build.trees, "", () => localTree("context", "[internal] load build context", "context", options.ignore))!,
    contextTree: (use, at) => namedTree(use, at, build),
    sourceOf(from, at) {
      // Looked up once, so that an image which several instructions name is one step.
      const known = sources.get(from);
      if (known !== undefined) return known;
      const tree = treeOf(findSource(names, stage, from, at), at);
      sources.set(from, tree);
      return tree;
    },
  };
}

function namedTree(use: ContextUse, at: SourceRange, { needs, trees }: Build): Output | null {
  const image = contextImage(use, at);
  const resolved = image === null ? null : needs.images.get(image);
  return once(trees, `${use.key} ${formatPlatform(use.platform)}`, () => contextTree(use, resolved, at));
}

function once<T>(known: Map<string, T>, key: string, make: () => T): T {
  if (!known.has(key)) known.set(key, make());
  return known.get(key)!;
}

function createdOf(stage: Stage, { epoch, options, needs }: Build): string {
  if (epoch !== null) return timestamp(epoch);
  const use = baseImage(stage, options.platform);
  return (use === null ? undefined : needs.images.get(use).config.created) ?? timestamp(0);
}

function finish(done: ConvertedStages, target: Stage, build: Build, found: readonly Warning[]): Converted {
  const { options, parsed } = build;
  const result = done.get(target);
  if (result === undefined) throw new Error("The target was not converted");
  const { root } = result.state;
  const reads = [...done.values()].map(({ state }) => state.reads);
  const check = parseCheck(parsed.directives.get("check")?.value ?? "");
  const warnings = applyCheck(check, found);
  const violations = warnings.filter((warning) => warning.rule !== null);
  if (check.failing && violations.length > 0) throw combine(violations.map(failedCheck));
  return {
    root: bindLocals(root, reads),
    image: finishImage(result.state.image, result.context.created, options),
    warnings,
  };
}

function timestamp(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace(".000Z", "Z");
}

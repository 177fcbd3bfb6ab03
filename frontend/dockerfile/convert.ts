import type { SourceRange, TbuildError } from "../../cache/errors.js";
import type { ImageConfig } from "../../cache/oci/descriptor.js";
import type { Output } from "../../solver/llb/state.js";
import type { Warning } from "../../solver/progress.js";
import type { FrontendOptions } from "../options.js";
import { epochOf, globalArgs, predefinedArgs, proxyEnv, unusedBuildArgs } from "./args.js";
import { finishImage } from "./configImage.js";
import { bindContext } from "./contextSource.js";
import { convertStage, imageTree, startStage } from "./convertStage.js";
import type { StageContext, StageState } from "./convertState.js";
import { combine, failedCheck } from "./errors.js";
import type { ParsedDockerfile } from "./instruction.js";
import { type WarningSink, applyCheck, parseCheck, violation } from "./lint.js";
import { parseDockerfile } from "./parse.js";
import type { Env } from "./scopeEnv.js";
import { type Base, type Stage, findSource, findTarget, ignoresCache, linkStages, splitStages, stageLabel } from "./stages.js";
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
 * @throws {TbuildError} the first mistake, located, with all others of the same pass attached
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
  const stages = throwingAll((errors) => linkStages(sections, globals, parsed.escape, warn, errors));
  const target = findTarget(stages, options.target);
  const needs = await reach(stages, target, parsed.escape, options);
  const build: Build = { parsed, options, globals, stages, needs, warn, epoch: epochOf(globals, options, target.from.at) };
  const done = throwingAll((errors) => convertStages(build, errors));
  found.push(...unusedBuildArgs(options, predefined, [...parsed.instructions, ...[...needs.triggers.values()].flat()]));
  return finish(done, target, build, found);
}

/** What all stages of one build share. */
interface Build {
  readonly parsed: ParsedDockerfile;
  readonly options: FrontendOptions;
  readonly globals: Env;
  readonly stages: readonly Stage[];
  readonly needs: Reachable;
  readonly warn: WarningSink;
  readonly epoch: number | null;
}

interface ConvertedStage {
  readonly state: StageState;
  readonly context: StageContext;
}

type ConvertedStages = ReadonlyMap<Stage, ConvertedStage>;

function convertStages(build: Build, errors: TbuildError[]): ConvertedStages {
  const done = new Map<Stage, ConvertedStage>();
  for (const stage of build.needs.stages) {
    const parent = stage.base.kind === "stage" ? (done.get(stage.base.stage) ?? null) : null;
    const context = stageContext(stage, parent, build, done);
    const start = startStage(stage, build.needs, parent?.state ?? null, context);
    done.set(stage, { context, state: convertStage(stage, build.needs, start, context, errors) });
  }
  return done;
}

function stageContext(stage: Stage, parent: ConvertedStage | null, build: Build, done: ConvertedStages): StageContext {
  const { options, globals, needs, stages, warn, parsed } = build;
  const sources = new Map<string, Output | null>();
  const treeOf = (source: Base, at: SourceRange): Output | null => {
    if (source.kind === "stage") return done.get(source.stage)?.state.root ?? null;
    if (source.kind === "scratch") return null;
    return imageTree({ name: source.name, platform: options.platform, at }, needs, (pinned) => `FROM ${pinned}`);
  };
  return {
    options,
    escape: parsed.escape,
    globals,
    warn,
    platform: parent?.context.platform ?? baseImage(stage, options.platform)?.platform ?? options.platform,
    label: stageLabel(stages, stage),
    created: parent?.context.created ?? createdOf(stage, build),
    proxy: proxyEnv(options.buildArgs),
    ignoreCache: ignoresCache(stage, options),
    trigger: false,
    sourceOf(from, at) {
      // Looked up once, so that an image which several instructions name is one step.
      const known = sources.get(from);
      if (known !== undefined) return known;
      const tree = treeOf(findSource(stages, stage, from, at), at);
      sources.set(from, tree);
      return tree;
    },
  };
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
  const paths = new Set([...done.values()].flatMap(({ state }) => [...state.contextPaths]));
  const check = parseCheck(parsed.directives.get("check")?.value ?? "");
  const warnings = applyCheck(check, found);
  const violations = warnings.filter((warning) => warning.rule !== null);
  if (check.failing && violations.length > 0) throw combine(violations.map(failedCheck));
  return {
    root: bindContext(result.state.root, paths, options),
    image: finishImage(result.state.image, result.context.created, options),
    warnings,
  };
}

function throwingAll<T>(part: (errors: TbuildError[]) => T): T {
  const errors: TbuildError[] = [];
  const result = part(errors);
  if (errors.length > 0) throw combine(errors);
  return result;
}

function timestamp(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace(".000Z", "Z");
}

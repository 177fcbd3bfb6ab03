import type { SourceRange, TbuildError } from "../../cache/errors.js";
import type { ImageConfig } from "../../cache/oci/descriptor.js";
import type { Digest } from "../../cache/oci/digest.js";
import { formatPlatform } from "../../cache/oci/platform.js";
import type { ProxyEnv } from "../../solver/llb/op.js";
import type { Output } from "../../solver/llb/state.js";
import type { Warning } from "../../solver/progress.js";
import type { FrontendOptions } from "../options.js";
import { globalArgs, predefinedArgs, proxyEnv, unusedBuildArgs } from "./args.js";
import { type PathFilter, ignoredPaths } from "./checks/copyIgnored.js";
import { lintBeforeMistake } from "./checks/beforeMistake.js";
import { type CheckOptions, applyCheck, checkOptions, refuseViolations } from "./checks/options.js";
import { lintSource } from "./checks/source.js";
import { finishImage } from "./configImage.js";
import { type ContextUse, contextFinder } from "./contextNamed.js";
import { bindLocals, localTree } from "./contextSource.js";
import { contextTree } from "./contextTree.js";
import { contextImage } from "./convertImages.js";
import { convertStage, imageTree, startStage } from "./convertStage.js";
import type { StageContext, StageState } from "./convertState.js";
import { dated } from "./epoch.js";
import { collecting, combine } from "./errors.js";
import { type Findings, noFindings } from "./findings.js";
import type { ParsedDockerfile } from "./instruction.js";
import { checkTotal } from "./limits.js";
import type { WarningSink } from "./lint.js";
import { parseDockerfile } from "./parse.js";
import type { Env } from "./scopeEnv.js";
import {
  type Base,
  type Names,
  type Sections,
  type Stage,
  findSource,
  findTarget,
  ignoresCache,
  splitStages,
  stageLabel,
  unknownFilters,
} from "./stages.js";
import { linkStages } from "./stagesLink.js";
import { type Reachable, baseImage, reach } from "./stagesReach.js";
import { refuseForeignSyntax } from "./syntax.js";

/** A Dockerfile as a graph, not yet marshalled. */
export interface Converted {
  /** Root filesystem of the target; null is the empty tree. */
  readonly root: Output | null;
  readonly image: ImageConfig;
  /** Layers of the image that the target builds on, base first. */
  readonly baseDiffIds: readonly Digest[];
  /** SOURCE_DATE_EPOCH of this build; null when it has none. */
  readonly epoch: number | null;
  readonly warnings: readonly Warning[];
  /** What the file asks of checks, for those that come later in the build. */
  readonly check: CheckOptions;
}

/**
 * Parses, links and converts: the stages that the target needs become steps, the target's config the image's.
 * @throws {TbuildError} the first mistake in the file, located, with all others attached
 */
export async function convertDockerfile(text: string | Uint8Array, options: FrontendOptions): Promise<Converted> {
  const findings = noFindings();
  try {
    const examined = await examine(text, options, "target", findings);
    if (findings.errors.length > 0) throw combine(findings.errors);
    return finish(examined, findings);
  } catch (error) {
    options.warnBeforeError(applyCheck(findings.check, findings.warnings));
    throw error;
  }
}

/** A file whose stages were converted as far as they can be. */
export interface Examined {
  readonly sections: Sections;
  readonly target: Stage;
  readonly build: Build;
  /** Without the stages that cannot begin. */
  readonly done: ConvertedStages;
}

/**
 * Converts the stages that the target needs, or all when `scope` says so and no target is given.
 * @throws {TbuildError} parse_failed, not_found, invalid_argument: what stops everything; the rest is in `findings`
 */
export async function examine(
  text: string | Uint8Array,
  given: FrontendOptions,
  scope: "target" | "all",
  findings: Findings,
): Promise<Examined> {
  refuseForeignSyntax(text, given);
  const parsed = parsedOrLinted(text, given, findings);
  const { warnings, errors } = findings;
  const warn: WarningSink = (warning) => warnings.push(warning);
  findings.check = checkOptions(parsed, given.buildArgs);
  const sections = splitStages(parsed);
  const predefined = predefinedArgs(given, given.target ?? sections.stages.at(-1)?.from.as ?? "");
  lintSource(parsed, sections, predefined, given, warn);
  const { escape } = parsed;
  const { platform } = given;
  const contexts = contextFinder(given.contexts);
  const read = { sections, contexts, escape, globals: globalArgs(sections.globals, predefined, given, escape), options: given };
  const { epoch, globals, options } = await dated(read);
  const stages = linkStages(sections, { globals, escape, platform, contexts, warn }, errors);
  const target = findTarget(stages, options.target);
  const names = { stages, contexts, platform };
  const targets = scope === "all" && (options.target ?? "") === "" ? stages : [target];
  const needs = await reach(names, targets, escape, options, errors);
  const isIgnored = ignoredPaths(options.ignore);
  const proxy = proxyEnv(options.buildArgs);
  const build: Build = { parsed, options, globals, proxy, names, needs, warn, epoch, isIgnored, trees: new Map() };
  const done = convertStages(build, errors);
  warnings.push(...unusedBuildArgs(options, predefined, [...parsed.instructions, ...[...needs.triggers.values()].flat()]));
  warnings.push(...unknownFilters(options, stages));
  return { sections, target, build, done };
}

function parsedOrLinted(text: string | Uint8Array, options: FrontendOptions, findings: Findings): ParsedDockerfile {
  try {
    return parseDockerfile(text, options.file);
  } catch (error) {
    lintBeforeMistake(error, text, options, findings);
    throw error;
  }
}

/** What all stages of one build share. */
export interface Build {
  readonly parsed: ParsedDockerfile;
  readonly options: FrontendOptions;
  readonly globals: Env;
  readonly proxy: ProxyEnv | null;
  readonly names: Names;
  readonly needs: Reachable;
  readonly warn: WarningSink;
  readonly epoch: number | null;
  /** Says whether the ignore file keeps a path of the build context out. */
  readonly isIgnored: PathFilter;
  /** The trees of named contexts that were used so far, and that of the build context. */
  readonly trees: Map<string, Output | null>;
}

/** A stage and what it came to. */
export interface ConvertedStage {
  readonly state: StageState;
  readonly context: StageContext;
}

/** In file order. */
export type ConvertedStages = ReadonlyMap<Stage, ConvertedStage>;

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
  const { options, globals, proxy, needs, names, warn, parsed } = build;
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
    created: parent === null ? createdOf(stage, build) : parent.context.created,
    proxy,
    ignoreCache: ignoresCache(stage, options),
    trigger: false,
    isIgnored: build.isIgnored,
    buildContext: once(build.trees, "", () => buildContext(options))!,
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

function buildContext({ context, ignore }: FrontendOptions): Output {
  return context === "local" ? localTree("context", "[internal] load build context", "context", ignore) : context;
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

function createdOf(stage: Stage, { epoch, options, needs }: Build): string | null {
  if (epoch !== null) return timestamp(epoch);
  if (options.created === "export") return null;
  const use = baseImage(stage, options.platform);
  return (use === null ? undefined : needs.images.get(use).config.created) ?? "1970-01-01T00:00:00Z";
}

function finish({ done, target, build }: Examined, { check, warnings: found }: Findings): Converted {
  const result = done.get(target);
  if (result === undefined) throw new Error("The target was not converted");
  const reads = [...done.values()].map(({ state }) => state.reads);
  const warnings = applyCheck(check, found);
  refuseViolations(check, warnings);
  return {
    root: bindLocals(result.state.root, reads),
    image: finishImage(result.state.image, result.context.created, build.options),
    baseDiffIds: baseDiffIds(target, build),
    epoch: build.epoch,
    warnings,
    check,
  };
}

function baseDiffIds(target: Stage, { options, needs }: Build): readonly Digest[] {
  let first = target;
  while (first.base.kind === "stage") first = first.base.stage;
  const use = baseImage(first, options.platform);
  return use === null ? [] : needs.images.get(use).config.rootfs.diff_ids;
}

function timestamp(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace(".000Z", "Z");
}

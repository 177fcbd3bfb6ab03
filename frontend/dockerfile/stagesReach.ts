import type { SourceRange, TbuildError } from "../../cache/errors.js";
import type { Platform } from "../../cache/oci/platform.js";
import type { FrontendOptions } from "../options.js";
import { type ImageTable, type ImageUse, contextImage, imageTable } from "./convertImages.js";
import type { StageInstruction } from "./convertState.js";
import { collecting, inTrigger } from "./errors.js";
import { readsTrees, sourceWords } from "./instructions/sources.js";
import { parseTrigger } from "./parse.js";
import { type Base, type Names, type Stage, findSource, stageNames } from "./stages.js";

/** What targets need. */
export interface Reachable {
  /** In file order: a stage after all that it uses. */
  readonly stages: readonly Stage[];
  readonly images: ImageTable;
  /** ONBUILD triggers of each stage's base, in order. */
  readonly triggers: ReadonlyMap<Stage, readonly StageInstruction[]>;
  /** False when an image could not be had: then nobody knows which variables there are. */
  readonly complete: boolean;
}

/**
 * Finds the stages that `targets` need and resolves their images, all that are known at a time at once. Triggers of a
 * base are known only then, and may need more. Mistakes and images that cannot be had go to `errors`.
 */
export async function reach(
  names: Names,
  targets: readonly Stage[],
  escape: "\\" | "`",
  options: FrontendOptions,
  errors: TbuildError[],
): Promise<Reachable> {
  const images = imageTable(options, stageNames(names.stages));
  const triggers = new Map<Stage, readonly StageInstruction[]>();
  let complete = true;
  for (;;) {
    const uses = collectUses(names, targets, triggers, errors);
    const before = errors.length;
    await images.resolve(uses.images, errors);
    complete &&= errors.length === before;
    const fresh = [...uses.stages].filter((stage) => !triggers.has(stage));
    if (fresh.length === 0) return { stages: [...uses.stages].sort((a, b) => a.index - b.index), images, triggers, complete };
    for (const stage of fresh) {
      const texts = triggerTexts(stage, images, options.platform);
      triggers.set(stage, parseTriggers(texts, stage.from.at, escape, errors));
    }
  }
}

/** The image that a stage begins with; null when it begins with none. `target` is the platform to build for. */
export function baseImage(stage: Stage, target: Platform): ImageUse | null {
  return imageOf(stage.base, stage.platform ?? target, stage.from.where(stage.from.image));
}

/** The image that a name means; null when it means none. */
export function imageOf(base: Base, platform: Platform, at: SourceRange): ImageUse | null {
  if (base.kind === "image") return { name: base.name, platform, at, via: null };
  return base.kind === "context" ? contextImage(base.use, at) : null;
}

interface Uses {
  readonly stages: ReadonlySet<Stage>;
  readonly images: readonly ImageUse[];
}

type Triggers = ReadonlyMap<Stage, readonly StageInstruction[]>;

/** A loop, because a chain of thousands of stages would overflow the stack. */
function collectUses(names: Names, targets: readonly Stage[], triggers: Triggers, errors: TbuildError[]): Uses {
  const stages = new Set<Stage>();
  const images: ImageUse[] = [];
  const open = [...targets];
  for (let stage = open.pop(); stage !== undefined; stage = open.pop()) {
    if (stages.has(stage)) continue;
    stages.add(stage);
    const image = baseImage(stage, names.platform);
    if (image !== null) images.push(image);
    const user = stage;
    const used = [
      ...(triggers.get(stage) ?? []).flatMap((ins) => usedBy(ins, user, names, errors, ins.original)),
      ...stage.body.filter(readsTrees).flatMap((ins) => usedBy(ins, user, names, errors, null)),
    ];
    for (const { image: from } of used) if (from !== null) images.push(from);
    const below = used.flatMap(({ base }) => (base.kind === "stage" ? [base.stage] : []));
    open.push(...below, ...(stage.base.kind === "stage" ? [stage.base.stage] : []));
  }
  return { stages, images };
}

/** What one instruction reads from; `trigger` is its text when it is one of the base's. Mistakes go to `errors`. */
function usedBy(ins: StageInstruction, user: Stage, names: Names, errors: TbuildError[], trigger: string | null) {
  const read = (): readonly Source[] => sourcesOf(ins, user, names);
  const sources = collecting(errors, ins.at, trigger === null ? read : () => inTrigger(trigger, read)) ?? [];
  return sources.map(({ base, at }) => {
    const image = imageOf(base, names.platform, at);
    return { base, image: image === null || trigger === null ? image : { ...image, trigger } };
  });
}

interface Source {
  readonly base: Base;
  readonly at: SourceRange;
}

function sourcesOf(ins: StageInstruction, user: Stage, names: Names): readonly Source[] {
  return sourceWords(ins).map((word) => {
    const at = ins.where(word);
    return { base: findSource(names, user, word, at), at };
  });
}

/** Triggers that the base leaves: from an image's config, or the ONBUILD instructions of an earlier stage. */
function triggerTexts(stage: Stage, images: ImageTable, platform: Platform): readonly string[] {
  if (stage.base.kind === "stage") return stage.base.stage.body.flatMap((ins) => (ins.name === "onbuild" ? [ins.trigger] : []));
  const use = stage.replacedBy === null ? baseImage(stage, platform) : null;
  return use === null ? [] : (images.get(use).config.config?.OnBuild ?? []);
}

function parseTriggers(
  texts: readonly string[],
  at: SourceRange,
  escape: "\\" | "`",
  errors: TbuildError[],
): readonly StageInstruction[] {
  const parsed = texts.map((text) => collecting(errors, at, () => inTrigger(text, () => parseTrigger(text, at, escape))));
  return parsed.filter((ins) => ins !== undefined && ins.name !== "from");
}



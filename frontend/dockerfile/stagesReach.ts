import type { SourceRange, TbuildError } from "../../cache/errors.js";
import type { Platform } from "../../cache/oci/platform.js";
import type { FrontendOptions } from "../options.js";
import { type ImageTable, type ImageUse, imageTable } from "./convertImages.js";
import type { StageInstruction } from "./convertState.js";
import { collecting, combine } from "./errors.js";
import { sourceWords } from "./instructions/sources.js";
import { parseTrigger } from "./parse.js";
import { type Stage, findSource, stageNames } from "./stages.js";

/** What a target needs. */
export interface Reachable {
  /** In file order: a stage after all that it uses. */
  readonly stages: readonly Stage[];
  readonly images: ImageTable;
  /** ONBUILD triggers of each stage's base, in order. */
  readonly triggers: ReadonlyMap<Stage, readonly StageInstruction[]>;
}

/**
 * Finds the stages that `target` needs and resolves their images, all that are known at a time at once. Triggers of a
 * base are known only then, and may need more. @throws {TbuildError} the first mistake, with the others attached
 */
export async function reach(
  all: readonly Stage[],
  target: Stage,
  escape: "\\" | "`",
  options: FrontendOptions,
): Promise<Reachable> {
  const images = imageTable(options, stageNames(all));
  const triggers = new Map<Stage, readonly StageInstruction[]>();
  const errors: TbuildError[] = [];
  for (;;) {
    const uses = collectUses(all, target, triggers, options.platform, errors);
    if (errors.length > 0) throw combine(errors);
    await images.resolve(uses.images);
    const fresh = [...uses.stages].filter((stage) => !triggers.has(stage));
    if (fresh.length === 0) return { stages: [...uses.stages].sort((a, b) => a.index - b.index), images, triggers };
    for (const stage of fresh) {
      const texts = triggerTexts(stage, images, options.platform);
      triggers.set(stage, parseTriggers(texts, stage.from.at, escape));
    }
  }
}

/** The image that a stage begins with; null for scratch and earlier stages. `target` is the platform to build for. */
export function baseImage(stage: Stage, target: Platform): ImageUse | null {
  if (stage.base.kind !== "image") return null;
  return { name: stage.base.name, platform: stage.platform ?? target, at: stage.from.at };
}

interface Uses {
  readonly stages: ReadonlySet<Stage>;
  readonly images: readonly ImageUse[];
}

type Triggers = ReadonlyMap<Stage, readonly StageInstruction[]>;

function collectUses(all: readonly Stage[], target: Stage, triggers: Triggers, platform: Platform, errors: TbuildError[]): Uses {
  const stages = new Set<Stage>();
  const images: ImageUse[] = [];
  const visit = (stage: Stage): void => {
    if (stages.has(stage)) return;
    stages.add(stage);
    const image = baseImage(stage, platform);
    if (image !== null) images.push(image);
    if (stage.base.kind === "stage") visit(stage.base.stage);
    for (const ins of [...(triggers.get(stage) ?? []), ...stage.body]) {
      for (const word of collecting(errors, ins.at, () => sourceWords(ins)) ?? []) {
        const source = collecting(errors, ins.at, () => findSource(all, stage, word, ins.at));
        if (source?.kind === "image") images.push({ name: source.name, platform, at: ins.at });
        if (source?.kind === "stage") visit(source.stage);
      }
    }
  };
  visit(target);
  return { stages, images };
}

/** Triggers that the base leaves: from an image's config, or the ONBUILD instructions of an earlier stage. */
function triggerTexts(stage: Stage, images: ImageTable, platform: Platform): readonly string[] {
  if (stage.base.kind === "stage") return stage.base.stage.body.flatMap((ins) => (ins.name === "onbuild" ? [ins.trigger] : []));
  const use = baseImage(stage, platform);
  return use === null ? [] : (images.get(use).config.config?.OnBuild ?? []);
}

function parseTriggers(texts: readonly string[], at: SourceRange, escape: "\\" | "`"): readonly StageInstruction[] {
  return texts.map((text) => {
    const ins = parseTrigger(text, at, escape);
    if (ins.name === "from") throw new Error("The parser let FROM pass as a trigger");
    return ins;
  });
}

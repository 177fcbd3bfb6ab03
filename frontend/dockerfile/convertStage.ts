import type { SourceRange, TbuildError } from "../../cache/errors.js";
import type { ImageConfig } from "../../cache/oci/descriptor.js";
import { type Platform, formatPlatform, samePlatform } from "../../cache/oci/platform.js";
import type { Output } from "../../solver/llb/state.js";
import { inheritImage, scratchImage } from "./configImage.js";
import type { ContextUse } from "./contextNamed.js";
import { type ImageUse, imageSource } from "./convertImages.js";
import { type DeclaredEnv, type StageContext, type StageInstruction, type StageState, configOf, withConfig, withReads } from "./convertState.js";
import { collecting, inTrigger } from "./errors.js";
import { joinHistory } from "./history.js";
import { nextStep } from "./historySteps.js";
import { applyInstruction } from "./instructions/mod.js";
import { type LayeredMap, layeredMap } from "./layeredMap.js";
import { violation } from "./lint.js";
import { parseEnv } from "./scopeEnv.js";
import type { Stage } from "./stages.js";
import { type Reachable, baseImage } from "./stagesReach.js";

/** Instructions that make a step of their own and count in its `[2/5]`. */
const STEPS: readonly StageInstruction["name"][] = ["add", "copy", "run", "workdir"];

/**
 * The stage as its FROM leaves it. An inherited stage brings its tree, variables and declared ARGs along. Mind that
 * the ENV of its image is set again, so that it wins over an ARG of the same name.
 */
export function startStage(stage: Stage, needs: Reachable, parent: StageState | null, c: StageContext): StageState {
  const triggers = needs.triggers.get(stage) ?? [];
  const named = stage.body.filter((ins) => STEPS.includes(ins.name)).length + triggers.length;
  const total = named + (stage.base.kind === "image" ? 1 : 0);
  const fresh = startTree(stage, needs, parent, { ...emptyState(c.platform), step: { index: 0, total } }, c);
  const image = inheritImage(fresh.image);
  const env = fresh.env.with(parseEnv(image.config?.Env ?? []));
  return { ...fresh, image, env };
}

/** Folds the triggers of the base, then the instructions, over `start`. Mistakes go to `errors` and change nothing else. */
export function convertStage(
  stage: Stage,
  needs: Reachable,
  start: StageState,
  c: StageContext,
  errors: TbuildError[],
): StageState {
  const inTriggers = { ...c, trigger: true };
  const run = (s: StageState, ins: StageInstruction, trigger: boolean): StageState => {
    const apply = (): StageState => applyInstruction(s, ins, trigger ? inTriggers : c);
    // What a variable of a missing image would have been is not to be guessed at.
    const found = needs.complete || !ins.original.includes("$") ? errors : [];
    return collecting(found, ins.at, trigger ? () => inTrigger(ins.original, apply) : apply) ?? s;
  };
  const triggered = (needs.triggers.get(stage) ?? []).reduce((s, ins) => run(s, ins, true), start);
  return settled(stage.body.reduce((s, ins) => run(s, ins, false), triggered));
}

/** Variables, labels and history put into the image: not at every instruction, so that a file with thousands stays quick. */
function settled(s: StageState): StageState {
  const { Env = [], Labels } = configOf(s);
  const labels = s.labels.size === 0 ? {} : { Labels: { ...Labels, ...Object.fromEntries(s.labels) } };
  const { image } = withConfig(s, { ...labels, Env: withDeclared(Env, s.declared) });
  const full = s.history === null ? image : { ...image, history: joinHistory(image.history ?? [], s.history) };
  return { ...s, image: full, history: null, labels: layeredMap(), declared: layeredMap() };
}

function withDeclared(lines: readonly string[], declared: LayeredMap<DeclaredEnv>): readonly string[] {
  const values = new Map(lines.map((line) => [line.split("=", 1)[0]!, line]));
  const added = [...declared].sort(([, a], [, b]) => a.place - b.place);
  for (const [key, { value }] of added) values.set(key, `${key}=${value}`);
  return [...values.values()];
}

/** Tree of an image; null when it has no layers. `name` is the step's. */
export function imageTree(use: ImageUse, needs: Reachable, name: (pinned: string) => string): Output | null {
  return imageSource(needs.images.get(use), { kind: "image" }, name, use.at, use.platform);
}

function emptyState(platform: Platform): StageState {
  const image: ImageConfig = scratchImage(platform);
  return {
    root: null,
    env: layeredMap(),
    declared: layeredMap(),
    labels: layeredMap(),
    image,
    history: null,
    args: [],
    step: { index: 0, total: 0 },
    exposed: 0,
    seen: new Map(),
    reads: null,
  };
}

function startTree(stage: Stage, needs: Reachable, parent: StageState | null, empty: StageState, c: StageContext): StageState {
  if (parent !== null) return inherit(parent, empty);
  if (stage.base.kind === "context") return startContext(stage, stage.base.use, needs, empty, c);
  const use = baseImage(stage, c.options.platform);
  if (use === null) return empty;
  const image = needs.images.get(use).config;
  let state: StageState = { ...empty, image };
  const root = imageTree(use, needs, (pinned) => {
    const step = nextStep(state, c, `FROM ${pinned}`, layeredMap());
    state = step.state;
    return step.name;
  });
  warnPlatform(stage.from.at, use, image, c);
  return { ...state, root };
}

/** A stage on a named context reads all of it; one that is replaced by it only what others copy. */
function startContext(stage: Stage, named: ContextUse, needs: Reachable, empty: StageState, c: StageContext): StageState {
  const root = c.contextTree(named, stage.from.at);
  const use = baseImage(stage, c.options.platform);
  const image = use === null ? imageOf(named, empty) : needs.images.get(use).config;
  return withReads({ ...empty, image, root }, root, stage.replacedBy === null ? ["/"] : []);
}

function imageOf({ context }: ContextUse, { image }: StageState): ImageConfig {
  return (context.kind === "tree" ? context.config : null) ?? image;
}

/** What `FROM <stage>` hands on. Of what was seen only WORKDIR stays so: CMD and the like count anew in each stage. */
function inherit({ root, env, image, args, seen }: StageState, empty: StageState): StageState {
  const workdir = seen.get("workdir");
  const state = withReads({ ...empty, root, env, image, args }, root, ["/"]);
  return { ...state, seen: workdir === undefined ? empty.seen : new Map([["workdir", workdir]]) };
}

function warnPlatform(at: SourceRange, use: ImageUse, { os, architecture }: ImageConfig, c: StageContext): void {
  const same = samePlatform({ os, architecture }, { os: use.platform.os, architecture: use.platform.architecture });
  if (same) return;
  const have = formatPlatform({ os, architecture });
  c.warn(violation("InvalidBaseImagePlatform", at, use.name, formatPlatform(use.platform), have));
}

import type { TbuildError } from "../../cache/errors.js";
import type { ImageConfig } from "../../cache/oci/descriptor.js";
import { type Platform, formatPlatform, samePlatform } from "../../cache/oci/platform.js";
import type { Output } from "../../solver/llb/state.js";
import { inheritImage, scratchImage } from "./configImage.js";
import { type ImageUse, isEmptyImage, pinnedName } from "./convertImages.js";
import { sourceStep } from "./convertNodes.js";
import type { StageContext, StageInstruction, StageState } from "./convertState.js";
import { collecting } from "./errors.js";
import { nextStep } from "./historySteps.js";
import { applyInstruction } from "./instructions/mod.js";
import { violation } from "./lint.js";
import { parseEnv, setEnv } from "./scopeEnv.js";
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
  const env = [...parseEnv(image.config?.Env ?? [])].reduce((known, [key, value]) => setEnv(known, key, value), fresh.env);
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
  const run = (s: StageState, ins: StageInstruction, trigger: boolean): StageState =>
    collecting(errors, ins.at, () => applyInstruction(s, ins, { ...c, trigger })) ?? s;
  const triggered = (needs.triggers.get(stage) ?? []).reduce((s, ins) => run(s, ins, true), start);
  return stage.body.reduce((s, ins) => run(s, ins, false), triggered);
}

/** Tree of an image; null when it has no layers. `name` is the step's. */
export function imageTree(use: ImageUse, needs: Reachable, name: (pinned: string) => string): Output | null {
  const image = needs.images.get(use);
  if (isEmptyImage(image)) return null;
  const pinned = pinnedName(image);
  return sourceStep(`docker-image://${pinned}`, {}, name(pinned), [use.at], use.platform);
}

function emptyState(platform: Platform): StageState {
  const image: ImageConfig = scratchImage(platform);
  return {
    root: null,
    env: new Map(),
    image,
    args: [],
    step: { index: 0, total: 0 },
    seen: new Map(),
    contextPaths: new Set(),
  };
}

function startTree(stage: Stage, needs: Reachable, parent: StageState | null, empty: StageState, c: StageContext): StageState {
  if (parent !== null) return inherit(parent, empty);
  const use = baseImage(stage, c.options.platform);
  if (use === null) return empty;
  const image = needs.images.get(use).config;
  let state: StageState = { ...empty, image };
  const root = imageTree(use, needs, (pinned) => {
    const step = nextStep(state, { ...c, trigger: false }, `FROM ${pinned}`, new Map());
    state = step.state;
    return step.name;
  });
  warnPlatform(use, image, c);
  return { ...state, root };
}

/** What `FROM <stage>` hands on. Of what was seen only WORKDIR stays so: CMD and the like count anew in each stage. */
function inherit({ root, env, image, args, seen }: StageState, empty: StageState): StageState {
  const workdir = seen.get("workdir");
  return { ...empty, root, env, image, args, seen: workdir === undefined ? empty.seen : new Map([["workdir", workdir]]) };
}

function warnPlatform(use: ImageUse, { os, architecture }: ImageConfig, c: StageContext): void {
  const same = samePlatform({ os, architecture }, { os: use.platform.os, architecture: use.platform.architecture });
  if (same) return;
  const have = formatPlatform({ os, architecture });
  c.warn(violation("InvalidBaseImagePlatform", use.at, use.name, formatPlatform(use.platform), have));
}

import type { Output } from "../../solver/llb/state.js";
import { bindLocals } from "./contextSource.js";
import type { StageState } from "./convertState.js";
import type { Env } from "./scopeEnv.js";

/** A tree that an SBOM is to look into besides the result. */
export interface ScanTarget {
  /** "context", or the name of a stage. */
  readonly name: string;
  /** Null is the empty tree. */
  readonly root: Output | null;
}

/** A stage that the target needs, and what it came to. */
export interface ScannedStage {
  readonly name: string;
  readonly state: StageState;
  readonly isTarget: boolean;
}

/**
 * What the ARGs BUILDKIT_SBOM_SCAN_CONTEXT and BUILDKIT_SBOM_SCAN_STAGE ask for: true, false, or names of stages; one of a stage
 * wins over a global one. Source: BuildKit, frontend/dockerfile/dockerfile2llb/convert.go.
 */
export function scanTargets(stages: readonly ScannedStage[], globals: Env, context: () => Output): readonly ScanTarget[] {
  const asks = (key: string, { name, state }: ScannedStage) => {
    const own = state.args.filter((arg) => arg.key === key && arg.value !== null).at(-1)?.value;
    return isOn(own ?? globals.get(key) ?? "", name);
  };
  const reads = stages.map(({ state }) => state.reads);
  const others = stages.filter((stage) => !stage.isTarget && asks("BUILDKIT_SBOM_SCAN_STAGE", stage));
  const target = stages.find(({ isTarget }) => isTarget);
  return [
    ...(target !== undefined && asks("BUILDKIT_SBOM_SCAN_CONTEXT", target) ? [{ name: "context", root: context() }] : []),
    ...others.map(({ name, state }) => ({ name, root: bindLocals(state.root, reads) })),
  ];
}

function isOn(value: string, stage: string): boolean {
  if (/^(?:1|t|true)$/i.test(value)) return true;
  return !/^(?:0|f|false|)$/i.test(value) && value.split(",").includes(stage);
}

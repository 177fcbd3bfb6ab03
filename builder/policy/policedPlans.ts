import { loadGraphs } from "../../solver/graph.js";
import { layerChain } from "../layerChain.js";
import type { PlatformPlan } from "../plan.js";
import type { Running } from "../run.js";

/** Plans whose graphs read what the build's policy lets them. @throws {TbuildError} see {@link Running.applyPolicy} */
export async function policedPlans(plans: readonly PlatformPlan[], { applyPolicy, signal }: Pick<Running, "applyPolicy" | "signal">): Promise<readonly PlatformPlan[]> {
  const definitions = await Promise.all(plans.map(({ definition }) => applyPolicy(definition, { signal })));
  if (definitions.every((definition, index) => definition === plans[index]!.definition)) return plans;
  const roots = loadGraphs(definitions);
  return plans.map((plan, index) => {
    const root = roots[index] ?? null;
    return { ...plan, definition: definitions[index]!, root, chain: layerChain(root) };
  });
}

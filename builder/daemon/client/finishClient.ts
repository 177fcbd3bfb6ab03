import { topologicalOrder } from "../../../solver/graph.js";
import type { FrontendResultMessage } from "../../api/gateway.js";
import { finishBuild } from "../../finish.js";
import { policedPlans } from "../../policy/policedPlans.js";
import { frontendMetadata, refsOf } from "../daemonBuild.js";
import { clientExporter, outputsOf } from "./clientOutputs.js";
import type { ClientRun } from "./clientRun.js";
import { noteSources } from "./clientSolver.js";
import { givenBy } from "./given.js";
import { plansOf } from "./results.js";

/** Runs what a frontend's result needs and exports it. Returns what the client hears of that. @throws {TbuildError} why it failed */
export async function finishClient(run: ClientRun, result: FrontendResultMessage | null): Promise<Readonly<Record<string, string>>> {
  const { request, refs, job, session, running, entitlements, own, warn } = run;
  const outputs = outputsOf(request);
  if (result === null || (refsOf(result).length === 0 && outputs.length === 0)) return frontendMetadata(result);
  const { plans: asked, root } = plansOf(result, refs);
  const plans = await policedPlans(asked, running);
  for (const { definition } of plans) noteSources(job, definition);
  const shape = { platforms: plans.map(({ platform }) => platform), root };
  const deps = { store: running.parts.store, shape, refetch: running.remote.refetch, push: running.remote.push };
  const epochs = plans.map(({ epoch }) => epoch);
  const exporters = outputs.map((output, id) => clientExporter(output, id, session, { ...deps, epochs }));
  const steps = topologicalOrder(...plans.map((plan) => plan.root));
  const given = await givenBy(session, steps, { signal: job.signal });
  await run.dropCacheMounts(steps);
  const { metadata } = await finishBuild(
    { ...running, ...given },
    plans,
    { exporters, root, entitlements, ...own, warn },
  );
  return { ...frontendMetadata(result), ...metadata };
}

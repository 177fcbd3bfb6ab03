import { topologicalOrder } from "../../../solver/graph.js";
import type { FrontendResultMessage } from "../../api/gateway.js";
import { givenEpoch } from "../../epoch.js";
import { finishBuild } from "../../finish.js";
import { frontendMetadata, refsOf } from "../daemonBuild.js";
import { clientExporter, outputsOf } from "./clientOutputs.js";
import type { ClientRun } from "./clientRun.js";
import { noteSources } from "./clientSolver.js";
import { givenBy } from "./given.js";
import { plansOf } from "./results.js";

/** Runs what a frontend's result needs and exports it. Returns what the client hears of that. @throws {TbuildError} why it failed */
export async function finishClient(run: ClientRun, result: FrontendResultMessage | null): Promise<Readonly<Record<string, string>>> {
  const { request, refs, job, session, running, entitlements, own, warn, caches } = run;
  const outputs = outputsOf(request);
  if (result === null || (refsOf(result).length === 0 && outputs.length === 0)) return frontendMetadata(result);
  const { plans, root } = plansOf(result, refs);
  for (const { definition } of plans) noteSources(job, definition);
  const shape = { platforms: plans.map(({ platform }) => platform), root };
  const deps = { store: running.parts.store, shape, refetch: running.remote.refetch, push: running.remote.push };
  const exporters = outputs.map((output, id) => clientExporter(output, id, session, deps));
  const given = await givenBy(session, topologicalOrder(...plans.map((plan) => plan.root)), { signal: job.signal });
  const epoch = plans.find((plan) => plan.epoch !== null)?.epoch ?? asked(request.frontendAttrs["build-arg:SOURCE_DATE_EPOCH"]);
  const { metadata } = await finishBuild(
    { ...running, ...given, epoch },
    plans,
    { exporters, root, entitlements, ...own, warn, caches },
  );
  return { ...frontendMetadata(result), ...metadata };
}

/** The frontend knows what a word stands for; a number is plain to everybody. */
function asked(text: string | undefined): number | null {
  return /^\d+$/.test(text ?? "") ? givenEpoch(text) : null;
}

import { topologicalOrder } from "../../../solver/graph.js";
import type { FrontendResultMessage } from "../../api/gateway.js";
import { givenEpoch } from "../../epoch.js";
import { finishBuild } from "../../finish.js";
import { frontendMetadata, refsOf } from "../daemonBuild.js";
import { attestClient } from "./attestClient.js";
import { clientExporter, outputsOf, withAnnotations } from "./clientOutputs.js";
import type { ClientRun } from "./clientRun.js";
import { type ClientSolver, noteSources } from "./clientSolver.js";
import { givenBy } from "./given.js";
import { plansOf } from "./results.js";

/** Runs what a frontend's result needs and exports it. Returns what the client hears of that. @throws {TbuildError} why it failed */
export async function finishClient(run: ClientRun, solver: ClientSolver, result: FrontendResultMessage | null): Promise<Readonly<Record<string, string>>> {
  const { request, refs, job, session, running, entitlements, own, warn } = run;
  const outputs = outputsOf(request);
  if (result === null || (refsOf(result).length === 0 && outputs.length === 0)) return frontendMetadata(result);
  const { plans, root, keys } = plansOf(result, refs);
  for (const { definition } of plans) noteSources(job, definition);
  const shape = { platforms: plans.map(({ platform }) => platform), root, attested: isAttested(run, result) };
  const deps = { store: running.parts.store, shape, refetch: running.remote.refetch, push: running.remote.push };
  const exporters = outputs.map((output, id) => clientExporter(withAnnotations(output, result.metadata), id, session, deps));
  const given = await givenBy(session, topologicalOrder(...plans.map((plan) => plan.root)), { signal: job.signal });
  const epoch = plans.find((plan) => plan.epoch !== null)?.epoch ?? asked(request.frontendAttrs["build-arg:SOURCE_DATE_EPOCH"]);
  const attest = attestClient(run, solver, result, plans.map((plan, index) => ({ ...keys[index]!, plan })));
  const { metadata } = await finishBuild(
    { ...running, ...given, epoch },
    plans,
    { exporters, root, entitlements, ...own, warn, attest },
  );
  return { ...frontendMetadata(result), ...metadata };
}

/** True when the result has something to be attached, as far as that is known before it is there. */
function isAttested({ attest }: ClientRun, { attestations }: FrontendResultMessage): boolean {
  const asked = attest.provenance !== null || attest.sbom !== null;
  return asked || Object.values(attestations).some(({ attestation }) => attestation.length > 0);
}

/** The frontend knows what a word stands for; a number is plain to everybody. */
function asked(text: string | undefined): number | null {
  return /^\d+$/.test(text ?? "") ? givenEpoch(text) : null;
}

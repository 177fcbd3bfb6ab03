import { topologicalOrder } from "../../../solver/graph.js";
import type { TypeAndAttrs } from "../../api/common.js";
import type { FrontendResultMessage } from "../../api/gateway.js";
import { givenEpoch } from "../../epoch.js";
import { finishBuild } from "../../finish.js";
import type { PlatformPlan } from "../../plan.js";
import { policedPlans } from "../../policy/policedPlans.js";
import { sessionExporters, tellExported } from "../../session/exporters.js";
import { frontendMetadata, refsOf } from "../daemonBuild.js";
import { attestClient } from "./attestClient.js";
import { clientExporter, type ClientExporterDeps, outputsOf, withAnnotations } from "./clientOutputs.js";
import type { ClientRun } from "./clientRun.js";
import { type ClientSolver, noteSources } from "./clientSolver.js";
import { givenBy } from "./given.js";
import { platformWarnings } from "./platformWarnings.js";
import type { FinishedPlatform } from "./resultProvenance.js";
import { plansOf } from "./results.js";

/** What came of a build. */
export interface Finished {
  /** What the client hears. */
  readonly response: Readonly<Record<string, string>>;
  /** What was exported; the id of the only one is "". */
  readonly platforms: readonly FinishedPlatform[];
}

/** Runs what a frontend's result needs and exports it.  @throws {TbuildError} why it failed */
export async function finishClient(run: ClientRun, solver: ClientSolver, result: FrontendResultMessage | null): Promise<Finished> {
  const { request, refs, job, session, running, entitlements, own, warn, caches } = run;
  const asks = session !== null && request.enableSessionExporter ? session : null;
  const more = asks === null || result === null ? [] : await sessionExporters(asks, { metadata: result.metadata, refs: refsOf(result) }, { signal: job.signal });
  const outputs = [...outputsOf(request), ...more];
  if (result === null || (refsOf(result).length === 0 && outputs.length === 0)) return { response: frontendMetadata(result), platforms: [] };
  const { plans: wanted, root, keys } = plansOf(result, refs);
  const plans = await policedPlans(wanted, running);
  for (const { definition } of plans) noteSources(job, definition);
  warn(platformWarnings(request.frontendAttrs["platform"] ?? "", plans.map(({ platform }) => platform), root === "index"));
  const shape = { platforms: plans.map(({ platform }) => platform), root, attested: isAttested(run, result) };
  const epochs = epochsOf(run, plans);
  const clampMtime = epochs?.find((epoch) => epoch !== null) ?? null;
  const deps = { clampMtime, epochs, store: running.parts.store, shape, refetch: running.remote.refetch, push: running.remote.push };
  const exporters = outputs.map((output, id) => clientExporter(withAnnotations(named(output, result), result.metadata), id, session, deps));
  const steps = topologicalOrder(...plans.map((plan) => plan.root));
  const given = await givenBy(session, steps, { signal: job.signal });
  await run.dropCacheMounts(steps);
  const planned = plans.map((plan, index) => ({ ...keys[index]!, plan }));
  const attest = attestClient(run, solver, result, planned);
  let platforms: readonly FinishedPlatform[] = [];
  const make: typeof attest.make = async (snapshots, bringHere) => {
    platforms = planned.map((one, index) => ({ ...one, id: root === "index" ? one.id : "", snapshot: snapshots[index]! }));
    return await attest.make(snapshots, bringHere);
  };
  const { metadata } = await finishBuild(
    { ...running, ...given },
    plans,
    { exporters, root, entitlements, ...own, warn, attest: { ...attest, make }, caches },
  );
  const response = { ...frontendMetadata(result), ...metadata };
  if (asks !== null) await tellExported(asks, response, { signal: job.signal });
  return { response, platforms };
}

/** The name "*" is the one that the frontend has given. Source: BuildKit, exporter/containerimage. */
function named({ type, attrs }: TypeAndAttrs, { metadata }: FrontendResultMessage): TypeAndAttrs {
  const given = metadata["image.name"];
  return attrs["name"] !== "*" || given === undefined ? { type, attrs } : { type, attrs: { ...attrs, name: Buffer.from(given).toString("utf8") } };
}

/** True when the result has something to be attached, as far as that is known before it is there. */
function isAttested({ attest }: ClientRun, { attestations }: FrontendResultMessage): boolean {
  const asked = attest.provenance !== null || attest.sbom !== null;
  return asked || Object.values(attestations).some(({ attestation }) => attestation.length > 0);
}

/** Null for a client that is tbuild and a frontend that knows its option: then files and config have the build's own time. */
function epochsOf({ request, running }: ClientRun, plans: readonly PlatformPlan[]): ClientExporterDeps["epochs"] {
  if (running.request.reproducible === true && plans.every(({ image }) => image.created !== undefined)) return null;
  const asked = askedTime(request.frontendAttrs["build-arg:SOURCE_DATE_EPOCH"]);
  return plans.map(({ epoch }) => epoch ?? asked);
}

/** The frontend knows what a word stands for; a number is plain to everybody. */
function askedTime(text: string | undefined): number | null {
  return /^\d+$/.test(text ?? "") ? givenEpoch(text) : null;
}

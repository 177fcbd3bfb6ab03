import type { Definition } from "../../../solver/llb/definition.js";
import type { FrontendResultMessage } from "../../api/gateway.js";
import { type Attestation, SPDX } from "../../attest/attestation.js";
import type { SbomOptions } from "../../attest/options.js";
import { provenanceAttestation } from "../../attest/provenance.js";
import { coreFirst } from "../../attest/unbundle.js";
import type { Attest } from "../../finish.js";
import type { BringHere } from "../../image/absent.js";
import type { SnapshotRef } from "../../ops/opDeps.js";
import type { PlatformPlan } from "../../plan.js";
import { sbomAttestations } from "../../sbom/sbomAttestations.js";
import { sbomTarget } from "../../sbom/sbomTarget.js";
import { unreadDatabase } from "../../sbom/unread.js";
import type { ClientRun } from "./clientRun.js";
import type { ClientSolver } from "./clientSolver.js";
import { ownAttestations } from "./ownAttestations.js";
import { provenanceOf } from "./provenanceOf.js";
import { scanKey, scopeOf } from "./scope.js";

/** One platform of a frontend's result. */
export interface PlatformResult {
  /** Key of the platform in the frontend's result. */
  readonly id: string;
  /** Id of its reference; "" is the empty tree. */
  readonly ref: string;
  readonly plan: PlatformPlan;
}

/** What is to be said of a client's results: what its frontend says, and what the client has asked for. */
export function attestClient(run: ClientRun, solver: ClientSolver, result: FrontendResultMessage, platforms: readonly PlatformResult[]): Attest {
  const { sbom } = run.attest;
  const messages = Object.values(result.attestations).flatMap(({ attestation }) => attestation);
  const isMade = sbom !== null && !messages.some(({ inTotoPredicateType }) => inTotoPredicateType === SPDX);
  return {
    readsFiles: isMade,
    async make(snapshots, bringHere) {
      const all: (readonly Attestation[])[] = [];
      for (const [index, { id, ref, plan }] of platforms.entries()) {
        const finished = { ref, plan, snapshot: snapshots[index]! };
        const own = await ownAttestations(run, solver, result.attestations[id]?.attestation ?? []);
        const boms = isMade && ref !== "" ? await sboms(run, solver, sbom, finished, bringHere) : [];
        const made = await provenance(run, platforms, finished);
        all.push([...coreFirst([...own, ...boms]), ...made]);
      }
      return all;
    },
  };
}

async function sboms(run: ClientRun, solver: ClientSolver, options: SbomOptions, { plan, snapshot }: Finished, bringHere: BringHere): Promise<readonly Attestation[]> {
  const { job: { report, signal }, running, warn, scans, request } = run;
  const remote = run.remoteFor(request.frontendAttrs["image-resolve-mode"]);
  const notRead = (path: string) => warn([unreadDatabase(path)]);
  const deps = { store: running.parts.store, remote, report, signal, bringHere, open: solver.open, notRead };
  return await sbomAttestations(deps, options, sbomTarget(plan, snapshot, scans.get(scanKey(plan.definition)) ?? [], running.epoch));
}

interface Finished {
  readonly ref: string;
  readonly plan: PlatformPlan;
  readonly snapshot: SnapshotRef;
}

async function provenance(run: ClientRun, platforms: readonly PlatformResult[], { ref, plan, snapshot }: Finished): Promise<readonly Attestation[]> {
  const { attest, running, job, startedAt, provenanceEnvironment: environment } = run;
  if (attest.provenance === null || ref === "") return [];
  const told = await provenanceOf(run, ref, platforms.map((one) => one.ref));
  const invocation = { store: running.parts.store, options: attest.provenance, id: job.ref, startedAt, environment };
  return [provenanceAttestation(invocation, { ...told, plan, ref: snapshot, graphOfText: () => textGraph(run, ref) })];
}

/** The built-in frontend reads the Dockerfile first, and whatever brings that in. */
function textGraph({ scope }: ClientRun, ref: string): Definition | null {
  return scopeOf(scope, ref).read[0] ?? null;
}

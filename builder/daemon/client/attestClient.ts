import type { FrontendResultMessage } from "../../api/gateway.js";
import type { Attestation } from "../../attest/attestation.js";
import { provenanceAttestation } from "../../attest/provenance.js";
import { coreFirst } from "../../attest/unbundle.js";
import type { Attest } from "../../finish.js";
import type { PlatformPlan } from "../../plan.js";
import type { ClientRun } from "./clientRun.js";
import type { ClientSolver } from "./clientSolver.js";
import { ownAttestations } from "./ownAttestations.js";
import { provenanceOf } from "./provenanceOf.js";

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
  return async (snapshots) => {
    const all: (readonly Attestation[])[] = [];
    for (const [index, { id, ref, plan }] of platforms.entries()) {
      const own = await ownAttestations(run, solver, result.attestations[id]?.attestation ?? []);
      const made = await provenance(run, platforms, { ref, plan, snapshot: snapshots[index]! });
      all.push([...coreFirst(own), ...made]);
    }
    return all;
  };
}

interface Finished {
  readonly ref: string;
  readonly plan: PlatformPlan;
  readonly snapshot: Parameters<Attest>[0][number];
}

async function provenance(run: ClientRun, platforms: readonly PlatformResult[], { ref, plan, snapshot }: Finished): Promise<readonly Attestation[]> {
  const { attest, running, job, startedAt, provenanceEnvironment: environment } = run;
  if (attest.provenance === null || ref === "") return [];
  const told = await provenanceOf(run, ref, platforms.map((one) => one.ref));
  const invocation = { store: running.parts.store, options: attest.provenance, id: job.ref, startedAt, environment };
  return [provenanceAttestation(invocation, { ...told, plan, ref: snapshot, graphOfText: () => null })];
}

import type { FrontendResultMessage } from "../../api/gateway.js";
import { type Attestation, SPDX } from "../../attest/attestation.js";
import type { SbomOptions } from "../../attest/options.js";
import { coreFirst } from "../../attest/unbundle.js";
import type { Attest } from "../../finish.js";
import type { BringHere } from "../../image/absent.js";
import { sbomAttestations } from "../../sbom/sbomAttestations.js";
import { sbomTarget } from "../../sbom/sbomTarget.js";
import { unreadDatabase } from "../../sbom/unread.js";
import type { ClientRun } from "./clientRun.js";
import type { ClientSolver } from "./clientSolver.js";
import { ownAttestations } from "./ownAttestations.js";
import { type FinishedPlatform, type PlatformResult, resultProvenance } from "./resultProvenance.js";
import { scanKey } from "./scope.js";

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
        const made = run.attest.provenance === null ? null : await resultProvenance(run, run.attest.provenance, platforms, { id, ...finished }, "ask");
        all.push([...coreFirst([...own, ...boms]), ...(made === null ? [] : [made])]);
      }
      return all;
    },
  };
}

async function sboms(run: ClientRun, solver: ClientSolver, options: SbomOptions, { plan, snapshot }: Pick<FinishedPlatform, "plan" | "snapshot">, bringHere: BringHere): Promise<readonly Attestation[]> {
  const { job: { report, signal }, running, warn, scans, request } = run;
  const remote = run.remoteFor(request.frontendAttrs["image-resolve-mode"]);
  const notRead = (path: string) => warn([unreadDatabase(path)]);
  const deps = { store: running.parts.store, remote, report, signal, bringHere, open: solver.open, notRead };
  return await sbomAttestations(deps, options, sbomTarget(plan, snapshot, scans.get(scanKey(plan.definition)) ?? [], running.epoch));
}

import type { Definition } from "../../../solver/llb/definition.js";
import type { Attestation } from "../../attest/attestation.js";
import type { ProvenanceOptions } from "../../attest/options.js";
import { provenanceAttestation } from "../../attest/provenance.js";
import type { SnapshotRef } from "../../ops/opDeps.js";
import type { PlatformPlan } from "../../plan.js";
import type { ClientRun } from "./clientRun.js";
import { provenanceOf, type UnknownSources } from "./provenanceOf.js";
import { scopeOf } from "./scope.js";

/** One platform of a frontend's result. */
export interface PlatformResult {
  /** Key of the platform in the frontend's result. */
  readonly id: string;
  /** Id of its reference; "" is the empty tree. */
  readonly ref: string;
  readonly plan: PlatformPlan;
}

/** A platform's result that is there. */
export interface FinishedPlatform extends PlatformResult {
  readonly snapshot: SnapshotRef;
}

/** Provenance of one platform's result; null of the empty tree. `platforms` are all of the build. @throws {TbuildError} as provenanceAttestation */
export async function resultProvenance(
  run: ClientRun,
  options: ProvenanceOptions,
  platforms: readonly PlatformResult[],
  { ref, plan, snapshot }: FinishedPlatform,
  unknown: UnknownSources,
): Promise<Attestation | null> {
  if (ref === "") return null;
  const { running, job, startedAt, provenanceEnvironment: environment } = run;
  const told = await provenanceOf(run, ref, platforms.map((one) => one.ref), unknown);
  const invocation = { store: running.parts.store, options, id: job.ref, startedAt, environment };
  return provenanceAttestation(invocation, { ...told, plan, ref: snapshot, graphOfText: () => textGraph(run, ref) });
}

/** The built-in frontend reads the Dockerfile first, and whatever brings that in. */
function textGraph({ scope }: ClientRun, ref: string): Definition | null {
  return scopeOf(scope, ref).read[0] ?? null;
}

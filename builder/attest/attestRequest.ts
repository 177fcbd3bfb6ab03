import { randomBytes } from "node:crypto";
import { statSync } from "node:fs";
import { loadGraph, topologicalOrder } from "../../solver/graph.js";
import type { Definition } from "../../solver/llb/definition.js";
import { marshal } from "../../solver/llb/marshal.js";
import type { Output } from "../../solver/llb/state.js";
import type { BuildCaches } from "../cacheio/buildCaches.js";
import { parseMainContext } from "../context/mainContext.js";
import { downloadStep, gitStep } from "../context/steps.js";
import { solveTree } from "../solveTree.js";
import { entitlementsOf } from "../entitlements.js";
import type { Attest } from "../finish.js";
import type { BringHere } from "../image/absent.js";
import { scratchRef } from "../ops/opDeps.js";
import { openTree } from "../ops/trees.js";
import type { PlatformPlan } from "../plan.js";
import type { BuildRequest } from "../request.js";
import type { Run } from "../run.js";
import { sbomAttestations } from "../sbom/sbomAttestations.js";
import { sbomTarget } from "../sbom/sbomTarget.js";
import { unreadDatabase } from "../sbom/unread.js";
import type { Source } from "../source/source.js";
import type { Warn } from "../warnOnce.js";
import type { Attestation } from "./attestation.js";
import { type Capture, emptyCapture, mergeCaptures } from "./capture.js";
import { captureGraph, type PinOf } from "./captureGraph.js";
import type { AttestOptions, ProvenanceOptions, SbomOptions } from "./options.js";
import { provenanceAttestation } from "./provenance.js";
import { requestArgs } from "./requestArgs.js";

/** A build of this process that has attestations. */
export interface AttestedRun extends Run {
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  /** What `local://` stands for. */
  readonly local: Source;
  readonly warn: Warn;
  readonly caches: BuildCaches;
}

/** What is to be said of the results of a request; undefined when nothing is asked for. */
export function attestRequest(run: AttestedRun, plans: readonly PlatformPlan[], options: AttestOptions): Attest | undefined {
  const { provenance, sbom } = options;
  if (provenance === null && sbom === null) return undefined;
  return {
    readsFiles: sbom !== null,
    async make(refs, bringHere) {
      const boms = sbom === null ? [] : await sbomsOf(run, plans, sbom, refs, bringHere);
      const made = provenance === null ? [] : await provenancesOf(run, plans, provenance, refs);
      return plans.map((_, index) => [...(boms[index] ?? []), ...(made[index] === undefined ? [] : [made[index]])]);
    },
  };
}

type Refs = Parameters<Attest["make"]>[0];

async function sbomsOf(run: AttestedRun, plans: readonly PlatformPlan[], options: SbomOptions, refs: Refs, bringHere: BringHere): Promise<readonly (readonly Attestation[])[]> {
  const { parts: { store }, remote, report, signal, local, warn, caches, epoch } = run;
  const open = async (definition: Definition) => await openTree(store, (await solveTree(run, definition, { local, entitlements: entitlementsOf({}), caches })) ?? scratchRef);
  const deps = { store, remote, report, signal, bringHere, open, notRead: (path: string) => warn([unreadDatabase(path)]) };
  const all: (readonly Attestation[])[] = [];
  for (const [index, plan] of plans.entries()) all.push(await sbomAttestations(deps, options, sbomTarget(plan, refs[index]!, plan.scans ?? [], epoch)));
  return all;
}

async function provenancesOf(run: AttestedRun, plans: readonly PlatformPlan[], provenance: ProvenanceOptions, refs: Refs): Promise<readonly Attestation[]> {
  const invocation = { store: run.parts.store, options: provenance, id: randomBytes(12).toString("hex"), startedAt: run.startedAt, environment: {} };
  const outside = await captureContext(run);
  return await Promise.all(
    plans.map(async (plan, index) => {
      const steps = await captureGraph(topologicalOrder(plan.root), pinnedBy(run));
      const capture = { ...mergeCaptures([steps, outside]), locals: localsOf(steps, run) };
      const asked = { capture, frontend: "dockerfile.v0", args: requestArgs(run.request), inputs: {}, root: null };
      return provenanceAttestation(invocation, { ...asked, plan, ref: refs[index]!, graphOfText: () => null });
    }),
  );
}

/** Directories that the build was given. One that was fetched is told of as what it was fetched from. */
function localsOf({ locals }: Capture, { inputs: { contextTime }, request }: AttestedRun): readonly string[] {
  const isDirectory = contextTime === "head";
  const own = isDirectory ? ["context", "dockerfile"] : request.context === "-" ? ["context"] : [];
  return [...new Set([...locals.filter((name) => name !== "context"), ...own])].sort();
}

/** What the context was fetched from. */
async function captureContext(run: AttestedRun): Promise<Capture> {
  const source = contextSource(run.request);
  return source === null ? emptyCapture : await captureGraph(topologicalOrder(loadGraph(marshal(source, []))), pinnedBy(run));
}

function contextSource({ context, buildArgs }: BuildRequest): Output | null {
  if (statSync(context, { throwIfNoEntry: false })?.isDirectory() === true) return null;
  const main = parseMainContext(context);
  if (main.kind === "git") return gitStep(main.url, main.shown, /^(?:1|t|true)$/i.test(buildArgs?.["BUILDKIT_CONTEXT_KEEP_GIT_DIR"] ?? ""));
  return main.kind === "http" ? downloadStep(main.url, main.checksum, main.shown) : null;
}

function pinnedBy({ pins }: Pick<AttestedRun, "pins">): PinOf {
  return async ({ op }) => {
    const { body, platform } = op;
    const known = body.kind === "source" ? pins.get({ identifier: body.identifier, attrs: body.attrs, platform }) : undefined;
    return known ?? { attributes: {} };
  };
}

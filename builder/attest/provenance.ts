import type { Ref } from "../../cache/ref.js";
import { TbuildError } from "../../cache/errors.js";
import { digestOf } from "../../cache/oci/digest.js";
import { syntaxVersion } from "../../frontend/dockerfile/syntaxVersion.js";
import type { Store } from "../../cache/store.js";
import { loadGraph } from "../../solver/graph.js";
import type { Definition } from "../../solver/llb/definition.js";
import type { PlatformPlan } from "../plan.js";
import { type Attestation, PROVENANCE } from "./attestation.js";
import { type BuildConfig, buildConfig, sourceRecord, stepNames } from "./buildConfig.js";
import type { Capture } from "./capture.js";
import type { ProvenanceOptions } from "./options.js";
import { provenancePredicate, type ProvenanceRecord } from "./predicate.js";
import { stepLayers } from "./stepLayers.js";

/** What is the same for all platforms of a build. */
export interface Invocation {
  readonly store: Store;
  readonly options: ProvenanceOptions;
  /** Unique. */
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly environment: Readonly<Record<string, unknown>>;
}

/** One platform's result, and what it was made of. */
export interface Provenance extends Pick<ProvenanceRecord, "capture" | "frontend" | "args" | "inputs" | "root"> {
  readonly plan: Pick<PlatformPlan, "definition" | "root" | "chain">;
  readonly ref: Ref;
  /** The graph that brought a text in which errors point; null when it is not known. */
  readonly graphOfText: (filename: string) => Definition | null;
}

/** Provenance of one platform's result. @throws {TbuildError} invalid_argument when all materials must be known, and are not */
export function provenanceAttestation({ store, options, id, startedAt, environment }: Invocation, made: Provenance): Attestation {
  if (options.completeMaterials) checkComplete(made.capture);
  let finishedAt: number | null = null;
  return {
    predicateType: `${PROVENANCE}${options.version}`,
    path: options.filename,
    inlineOnly: options.inlineOnly,
    subjects: [],
    sbomCore: null,
    async content() {
      finishedAt ??= Date.now();
      const { builderId, reproducible, mode } = options;
      const all = mode === "max" ? await detailsOf(store, made) : { buildConfig: null, source: null, layers: {} };
      const dockerfileVersion = made.frontend === "dockerfile.v0" ? syntaxVersion : "";
      const record = { ...made, ...all, builderId, invocationId: id, startedAt, finishedAt, reproducible, mode, dockerfileVersion, environment };
      return Buffer.from(JSON.stringify(provenancePredicate(record, options.version), null, 2));
    },
  };
}

async function detailsOf(store: Store, { plan, ref, graphOfText }: Provenance): Promise<Pick<ProvenanceRecord, "buildConfig" | "source" | "layers">> {
  const names = stepNames(plan.root);
  const textGraph = (filename: string) => configOf(graphOfText(filename));
  const top = ref.kind === "snapshot" ? ref.name : null;
  return {
    buildConfig: configOf(plan.definition),
    source: sourceRecord(plan.definition, names, textGraph),
    layers: await stepLayers(store, plan.root, plan.chain, top, names),
  };
}

function configOf(definition: Definition | null): BuildConfig | null {
  const terminal = definition?.def.at(-1);
  if (definition === null || terminal === undefined) return null;
  const root = loadGraph(definition);
  return buildConfig(root, stepNames(root), digestOf(terminal));
}

function checkComplete({ incomplete, locals }: Capture): void {
  if (!incomplete && locals.length === 0) return;
  const why = locals.length === 0 ? "" : `\n\nUncaptured local sources:${locals.map((name) => `\n  - ${name}\n    reason: local_source`).join("")}`;
  throw new TbuildError("invalid_argument", `provenance materials are incomplete${why}`, {
    hint: "The build asked for complete-materials: build from a Git repository or URL instead of a directory",
  });
}

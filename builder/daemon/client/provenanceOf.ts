import { loadGraph, topologicalOrder } from "../../../solver/graph.js";
import type { Definition } from "../../../solver/llb/definition.js";
import { type Capture, emptyCapture, mergeCaptures } from "../../attest/capture.js";
import { captureGraph, type PinOf } from "../../attest/captureGraph.js";
import { findMaterial } from "../../attest/materials.js";
import type { Provenance } from "../../attest/provenance.js";
import { filterArgs, type RequestRecord, requestRecord } from "../../attest/request.js";
import { internalStep } from "../../internalStep.js";
import { buildSources } from "../../source/mod.js";
import type { SourceRequest } from "../../source/source.js";
import type { ClientRun } from "./clientRun.js";
import { nothingGiven } from "./given.js";
import { isSameRecord } from "./requestRecords.js";
import { type Asked, type BuildScope, scopeOf, withInner } from "./scope.js";

/** What becomes of sources of which another build at the same time has learnt what they are. */
export type UnknownSources = "ask" | "leave out";

/** What provenance tells of a result besides its graph. */
export type Told = Pick<Provenance, "capture" | "frontend" | "args" | "inputs" | "root">;

/**
 * What the reference `ref` was made of and asked for. What its frontend has read besides belongs to it, but not what is another one's
 * result: `results` are all of the build. Source: BuildKit, solver/llbsolver/provenance.go.
 */
export async function provenanceOf(run: ClientRun, ref: string, results: readonly string[], unknown: UnknownSources): Promise<Told> {
  const scope = scopeOf(run.scope, ref);
  const scopes = withInner(scope);
  const beside = scopes.flatMap(({ refs }) => [...refs]).filter((id) => !results.includes(id) && run.evaluated.has(id));
  const graphs = [run.refs.get(ref), ...beside.map((id) => run.refs.get(id)), ...scopes.flatMap(({ read }) => read)];
  const captures = await Promise.all(graphs.map((graph) => captureDefinition(run, graph, unknown)));
  const given = scopes.map(({ images, locals }): Capture => ({ ...emptyCapture, images, locals: [...locals] }));
  const capture = mergeCaptures([...captures, ...given]);
  const own = scope.asked === null ? null : recordOf(run, scope.asked, capture);
  return {
    capture,
    frontend: scope.asked?.frontend ?? "",
    args: scope.asked === null ? {} : filterArgs(scope.asked.frontendOpt),
    inputs: own?.request?.inputs ?? {},
    root: own === null ? null : rootRecord(run, own, capture),
  };
}

/** A request with those that its inputs came from. */
export function recordOf({ records }: Pick<ClientRun, "records">, { frontend, frontendOpt, frontendInputs }: Asked, capture: Capture): RequestRecord {
  const { configSource, request } = requestRecord(frontend, filterArgs(frontendOpt), (url) => findMaterial(capture, url));
  const inputs = Object.entries(frontendInputs).flatMap(([name, definition]) => {
    const found = records.find(definition);
    return found === null ? [] : [[name, found] as const];
  });
  return { configSource, request: { ...request, ...(inputs.length === 0 ? {} : { inputs: Object.fromEntries(inputs) }) } };
}

/** The client's own request, when it says more than the frontend's. */
function rootRecord(run: ClientRun, own: RequestRecord, capture: Capture): RequestRecord | null {
  const { frontend, frontendAttrs, frontendInputs } = run.request;
  const record = recordOf(run, { frontend, frontendOpt: frontendAttrs, frontendInputs }, capture);
  return Object.keys(record.request ?? {}).length === 0 || isSameRecord(record, own) ? null : record;
}

/** Remembers from which request a reference came, as long as the build is open. */
export function noteRequest(run: ClientRun, scope: BuildScope, ref: string): void {
  if (scope.asked === null) return;
  const record = recordOf(run, scope.asked, emptyCapture);
  const root = rootRecord(run, record, emptyCapture);
  run.noted.push(run.records.note(run.refs.get(ref), root === null ? record : { ...record, request: { ...record.request, root } }));
}

async function captureDefinition(run: ClientRun, definition: Definition, unknown: UnknownSources): Promise<Capture> {
  return await captureGraph(topologicalOrder(loadGraph(definition)), pinnedBy(run, unknown));
}

function pinnedBy({ running, own, job }: ClientRun, unknown: UnknownSources): PinOf {
  const { pins, parts: { store }, remote } = running;
  const sources = buildSources({ store, remote, ...own, ...nothingGiven, pins });
  return async ({ op: { body, platform }, name }) => {
    if (body.kind !== "source") return { attributes: {} };
    const request: SourceRequest = { identifier: body.identifier, attrs: body.attrs, platform };
    const source = sources.find(({ schemes }) => schemes.includes(body.identifier.split("://", 1)[0] ?? ""));
    const known = pins.get(request);
    if (known !== undefined || source === undefined || unknown === "leave out") return known ?? { attributes: {} };
    return await internalStep(job.report, `[internal] provenance of ${name}`, job.signal, (opts) => source.resolve(request, opts));
  };
}

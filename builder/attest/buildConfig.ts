import type { SourceRange } from "../../cache/errors.js";
import type { Digest } from "../../cache/oci/digest.js";
import { type Edge, topologicalOrder, type Vertex } from "../../solver/graph.js";
import type { Definition, SourceMap } from "../../solver/llb/definition.js";
import { opJson } from "./opJson.js";

/** The steps of a build as mode=max tells them, inputs first. Source: BuildKit, solver/llbsolver/provenance/buildconfig.go. */
export interface BuildConfig {
  readonly llbDefinition: readonly object[];
  readonly digestMapping: Readonly<Record<string, string>>;
}

/** The texts that steps come from, and which lines each is of. */
export interface SourceRecord {
  readonly locations: Readonly<Record<string, object>>;
  readonly infos: readonly object[];
}

/** Names of the steps of a graph, in the order in which they are told. */
export type StepNames = ReadonlyMap<Digest, string>;

/** `step0`, `step1` …, inputs before their users; the last one is the result itself, which has no op. */
export function stepNames(root: Edge | null): StepNames {
  return new Map(topologicalOrder(root).map(({ digest }, index) => [digest, `step${index}`]));
}

/** The graph below `root`. `terminal` is the digest of the definition's last entry. */
export function buildConfig(root: Edge | null, names: StepNames, terminal: Digest): BuildConfig {
  const steps = topologicalOrder(root);
  const last = `step${steps.length}`;
  const asked = root === null ? [] : [`${names.get(root.vertex.digest)}:${root.index}`];
  return {
    llbDefinition: [...steps.map((step) => stepJson(step, names)), { id: last, op: { Op: {} }, ...(asked.length === 0 ? {} : { inputs: asked }) }],
    digestMapping: { ...Object.fromEntries(names), [terminal]: last },
  };
}

function stepJson({ digest, op, inputs }: Vertex, names: StepNames): object {
  const from = inputs.map(({ vertex, index }) => `${names.get(vertex.digest)}:${index}`);
  return { id: names.get(digest), op: opJson(op), ...(from.length === 0 ? {} : { inputs: from }) };
}

/** Texts and lines of a definition; null when it has none. `own` is the graph that brought the text in. */
export function sourceRecord({ source }: Pick<Definition, "source">, names: StepNames, own: (filename: string) => BuildConfig | null): SourceRecord | null {
  if (source.infos.length === 0) return null;
  const infos = source.infos.map(({ filename, language, data }) => ({
    filename,
    ...(language === "" ? {} : { language }),
    data: Buffer.from(data).toString("base64"),
    ...own(filename),
  }));
  const located = [...names].flatMap(([digest, name]) => {
    const ranges = source.locations.get(digest);
    return ranges === undefined ? [] : [[name, locationsJson(ranges, source)] as const];
  });
  return { locations: Object.fromEntries(located), infos };
}

/** One entry a file. */
function locationsJson(ranges: readonly SourceRange[], { infos }: SourceMap): object {
  const files = [...new Set(ranges.map(({ file }) => file))];
  const locations = files.map((file) => {
    const sourceIndex = Math.max(0, infos.findIndex(({ filename }) => filename === file));
    const own = ranges.filter((range) => range.file === file).map(({ start, end }) => ({ start: place(start), end: place(end) }));
    return { ...(sourceIndex === 0 ? {} : { sourceIndex }), ranges: own };
  });
  return locations.length === 0 ? {} : { locations };
}

function place({ line, column }: SourceRange["start"]): object {
  return { line, ...(column > 1 ? { character: column - 1 } : {}) };
}

import { type SourceRange, TbuildError } from "../cache/errors.js";
import { type Digest, digestOf } from "../cache/oci/digest.js";
import { decodeOp, decodeTerminal } from "./llb/codec.js";
import type { Definition } from "./llb/definition.js";
import type { Input, Op, OpMetadata } from "./llb/op.js";
import { inputsFirst } from "./llb/order.js";
import { badIndex, outputCount } from "./llb/outputs.js";
import { mergeMetadata, unionOfRanges } from "./llb/merged.js";
import { emptyMetadata } from "./llb/state.js";
import { displayName } from "./vertexName.js";

/** A step of a loaded graph. Two equal ops are one vertex. */
export interface Vertex {
  readonly digest: Digest;
  readonly op: Op;
  readonly metadata: OpMetadata;
  /** Display name. */
  readonly name: string;
  readonly inputs: readonly Edge[];
  /** Where the step comes from, for errors. */
  readonly at: readonly SourceRange[];
}

/** One output of a vertex. */
export interface Edge {
  readonly vertex: Vertex;
  readonly index: number;
}

/**
 * The edge that a definition asks for; null for the empty definition (`FROM scratch`). Equal entries become one vertex.
 * Cycles cannot be written, as an op's digest covers its inputs' digests; an input after its user is refused.
 * @throws {TbuildError} invalid_argument, naming the entry
 */
export function loadGraph(definition: Definition): Edge | null {
  return loadGraphs([definition])[0] ?? null;
}

/** As {@link loadGraph} for several definitions in one graph: a step that several have is one vertex. */
export function loadGraphs(definitions: readonly Definition[]): readonly (Edge | null)[] {
  const vertices = new Map<Digest, Vertex>();
  return definitions.map((definition) => {
    const terminal = definition.def.at(-1);
    if (terminal === undefined) return null;
    definition.def.slice(0, -1).forEach((bytes, i) => {
      const digest = digestOf(bytes);
      if (!vertices.has(digest)) vertices.set(digest, loadVertex(digest, bytes, i, definitions, vertices));
    });
    return resolve(decodeTerminal(terminal), "the terminal", vertices);
  });
}

/** All vertices that edges need, inputs before users; the order depends on the graph only. Null is the empty tree. */
export function topologicalOrder(...targets: readonly (Edge | null)[]): readonly Vertex[] {
  const inputsOf = ({ inputs }: Vertex): readonly Vertex[] => inputs.map(({ vertex }) => vertex);
  return [...new Set(targets.flatMap((target) => (target === null ? [] : inputsFirst(target.vertex, inputsOf))))];
}

type Loaded = ReadonlyMap<Digest, Vertex>;

function loadVertex(digest: Digest, bytes: Uint8Array, i: number, definitions: readonly Definition[], loaded: Loaded): Vertex {
  const op = decodeOp(bytes);
  const bad = badIndex(op);
  if (bad !== null) throw refused(`${bad} in op ${i}`);
  const described = definitions.flatMap(({ metadata }) => metadata.get(digest) ?? []);
  const metadata = described.length === 0 ? emptyMetadata : described.reduce(mergeMetadata);
  const at = definitions.map(({ source }) => source.locations.get(digest) ?? []).reduce(unionOfRanges);
  const inputs = op.inputs.map((input) => resolve(input, `op ${i}`, loaded));
  return { digest, op, metadata, name: displayName(op, metadata), inputs, at };
}

function resolve({ digest, index }: Input, user: string, loaded: Loaded): Edge {
  const vertex = loaded.get(digest);
  if (vertex === undefined) throw refused(`input ${digest} of ${user} does not come before it`);
  if (index < 0 || index >= outputCount(vertex.op)) throw refused(`${user} reads output ${index} of ${digest}, which has fewer`);
  return { vertex, index };
}

function refused(why: string): TbuildError {
  return new TbuildError("invalid_argument", `Cannot load build definition: ${why}`);
}

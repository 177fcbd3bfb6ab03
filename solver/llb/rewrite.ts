import { type Digest, digestOf } from "../../cache/oci/digest.js";
import { decodeOp, decodeTerminal, encodeOp, encodeTerminal } from "./codec.js";
import type { Definition } from "./definition.js";
import type { Input, Op, SourceOp } from "./op.js";
import { mergeMetadata, unionOfRanges } from "./merged.js";

/** What a source becomes; the same one leaves it. */
export type DecideSource = (op: Op, source: SourceOp, digest: Digest) => Promise<SourceOp>;

/**
 * The graph with other sources: all are asked about at once. Steps above a changed one change their digests, and keep what is
 * known of them; the others stay byte for byte. @throws {TbuildError} invalid_argument, and what `decide` throws
 */
export async function rewriteSources(definition: Definition, decide: DecideSource): Promise<Definition> {
  const terminal = definition.def.at(-1);
  if (terminal === undefined) return definition;
  const steps = definition.def.slice(0, -1).map((bytes) => ({ bytes, digest: digestOf(bytes), op: decodeOp(bytes) }));
  const bodies = await Promise.all(steps.map(async ({ op, digest }) => (op.body.kind === "source" ? await changed(op, op.body, digest, decide) : null)));
  if (bodies.every((body) => body === null)) return definition;
  const renamed = new Map<Digest, Digest>();
  const def = new Map<Digest, Uint8Array>();
  for (const [index, { bytes, digest, op }] of steps.entries()) {
    const body = bodies[index] ?? op.body;
    const inputs = op.inputs.map((input) => renamedInput(input, renamed));
    const isSame = body === op.body && inputs.every((input, i) => input.digest === op.inputs[i]!.digest);
    const made = isSame ? bytes : encodeOp({ ...op, body, inputs });
    const madeDigest = isSame ? digest : digestOf(made);
    renamed.set(digest, madeDigest);
    def.set(madeDigest, made);
  }
  return { ...described(definition, renamed), def: [...def.values(), encodeTerminal(renamedInput(decodeTerminal(terminal), renamed))] };
}

async function changed(op: Op, source: SourceOp, digest: Digest, decide: DecideSource): Promise<SourceOp | null> {
  const decided = await decide(op, source, digest);
  return decided.identifier === source.identifier && sameAttrs(decided.attrs, source.attrs) ? null : decided;
}

function sameAttrs(a: SourceOp["attrs"], b: SourceOp["attrs"]): boolean {
  return Object.keys(a).length === Object.keys(b).length && Object.entries(a).every(([key, value]) => b[key] === value);
}

function renamedInput({ digest, index }: Input, renamed: ReadonlyMap<Digest, Digest>): Input {
  return { digest: renamed.get(digest) ?? digest, index };
}

/** Two steps may have become one. */
function described({ metadata, source }: Definition, renamed: ReadonlyMap<Digest, Digest>): Pick<Definition, "metadata" | "source"> {
  const merge = <T>(from: ReadonlyMap<Digest, T>, both: (a: T, b: T) => T): ReadonlyMap<Digest, T> => {
    const to = new Map<Digest, T>();
    for (const [digest, value] of from) {
      const name = renamed.get(digest) ?? digest;
      const known = to.get(name);
      to.set(name, known === undefined ? value : both(known, value));
    }
    return to;
  };
  return { metadata: merge(metadata, mergeMetadata), source: { ...source, locations: merge(source.locations, unionOfRanges) } };
}

import type { SourceRange } from "../../cache/errors.js";
import { type Digest, digestOf } from "../../cache/oci/digest.js";
import { encodeOp, encodeTerminal } from "./codec.js";
import type { Definition, SourceInfo } from "./definition.js";
import type { Input, OpMetadata } from "./op.js";
import { inputsFirst } from "./order.js";
import type { Node, Output } from "./state.js";

/**
 * The graph that ends in `output`; null gives the empty definition. Equal ops become one entry with the source ranges
 * of all. The order, and so the bytes, depend on the graph only: inputs in their order before their user.
 * @throws {Error} when a node's range names a file that is not in `infos`
 */
export function marshal(output: Output | null, infos: readonly SourceInfo[]): Definition {
  const def: Uint8Array[] = [];
  const metadata = new Map<Digest, OpMetadata>();
  const locations = new Map<Digest, readonly SourceRange[]>();
  const source = { infos, locations };
  if (output === null) return { def, metadata, source };
  const digests = new Map<Node, Digest>();
  for (const node of inputsFirst(output.node, (item) => item.inputs.map((input) => input.node))) {
    const bytes = encodeNode(node, digests);
    const digest = digestOf(bytes);
    digests.set(node, digest);
    const known = metadata.get(digest);
    if (known === undefined) def.push(bytes);
    metadata.set(digest, known === undefined ? node.metadata : merged(known, node.metadata));
    const ranges = union(locations.get(digest) ?? [], checked(node.at, infos));
    if (ranges.length > 0) locations.set(digest, ranges);
  }
  def.push(encodeTerminal(inputOf(output, digests)));
  return { def, metadata, source };
}

function encodeNode(node: Node, digests: ReadonlyMap<Node, Digest>): Uint8Array {
  const inputs = node.inputs.map((input) => inputOf(input, digests));
  // An empty filter and not none: BuildKit's client writes the message for every op but the terminal.
  return encodeOp({ inputs, platform: node.platform, constraints: [], body: node.body });
}

function inputOf({ node, index }: Output, digests: ReadonlyMap<Node, Digest>): Input {
  const digest = digests.get(node);
  if (digest === undefined) throw new Error("Node marshalled before its input");
  return { digest, index };
}

/** Metadata of one op that was written twice: no cache if either says so; for the rest the first one counts. */
function merged(first: OpMetadata, second: OpMetadata): OpMetadata {
  return {
    ...second,
    ...first,
    ignoreCache: first.ignoreCache || second.ignoreCache,
    description: { ...second.description, ...first.description },
    caps: [...new Set([...first.caps, ...second.caps])],
    progressGroup: first.progressGroup ?? second.progressGroup,
  };
}

function union(known: readonly SourceRange[], more: readonly SourceRange[]): readonly SourceRange[] {
  const texts = new Set(known.map((range) => JSON.stringify(range)));
  return [...known, ...more.filter((range) => !texts.has(JSON.stringify(range)))];
}

function checked(ranges: readonly SourceRange[], infos: readonly SourceInfo[]): readonly SourceRange[] {
  const stray = ranges.find(({ file }) => !infos.some(({ filename }) => filename === file));
  if (stray !== undefined) throw new Error(`Source range in "${stray.file}", which is no source of the definition`);
  return ranges;
}

import type { SourceRange } from "../../cache/errors.js";
import { type Digest, digestOf } from "../../cache/oci/digest.js";
import { encodeOp, encodeTerminal } from "./codec.js";
import type { Definition, SourceInfo } from "./definition.js";
import { mergeMetadata, unionOfRanges } from "./merged.js";
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
  const files = new Set(infos.map(({ filename }) => filename));
  const digests = new Map<Node, Digest>();
  for (const node of inputsFirst(output.node, (item) => item.inputs.map((input) => input.node))) {
    const bytes = encodeNode(node, digests);
    const digest = digestOf(bytes);
    digests.set(node, digest);
    const known = metadata.get(digest);
    if (known === undefined) def.push(bytes);
    metadata.set(digest, known === undefined ? node.metadata : mergeMetadata(known, node.metadata));
    checkRanges(node.at, files);
    if (node.at.length > 0) locations.set(digest, unionOfRanges(locations.get(digest) ?? [], node.at));
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

function checkRanges(ranges: readonly SourceRange[], files: ReadonlySet<string>): void {
  const stray = ranges.find(({ file }) => !files.has(file));
  if (stray !== undefined) throw new Error(`Source range in "${stray.file}", which is no source of the definition`);
}

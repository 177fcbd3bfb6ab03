import { inputsFirst } from "../../solver/llb/order.js";
import type { Node, Output } from "../../solver/llb/state.js";
import { sourceStep } from "./convertNodes.js";

/** Paths, rooted at "/", that are read of local trees: a list, latest first, because thousands of COPYs add one each. */
export type LocalReads = null | { readonly node: Node; readonly paths: readonly string[]; readonly before: LocalReads };

/**
 * A directory of the client. While stages are converted it asks for everything; which of its paths are read is known
 * only at the end: see {@link bindLocals}. Trees are told apart by node, so make one once.
 */
export function localTree(local: string, name: string, sharedKey: string, ignore: readonly string[]): Output {
  const attrs = {
    ...(ignore.length === 0 ? {} : { "local.excludepatterns": JSON.stringify(ignore) }),
    "local.sharedkeyhint": sharedKey,
  };
  return sourceStep(`local://${local}`, attrs, name, [], null);
}

/** `reads` with further paths of `tree`; what is no local tree has no reads. */
export function withRead(reads: LocalReads, tree: Output | null, paths: readonly string[]): LocalReads {
  if (tree === null || !isLocal(tree.node) || paths.length === 0) return reads;
  return { node: tree.node, paths, before: reads };
}

/**
 * `root` with each local tree replaced by a source that asks for what is read of it only; `all` has the reads of each stage.
 * A tree that nobody reads of is wanted whole.
 */
export function bindLocals(root: Output | null, all: readonly LocalReads[]): Output | null {
  if (root === null) return null;
  const reads = joined([...all, withRead(null, root, ["/"])]);
  const bound = new Map<Node, Node>();
  const of = ({ node, index }: Output): Output => ({ node: bound.get(node) ?? node, index });
  for (const node of inputsFirst(root.node, (user) => user.inputs.map((input) => input.node))) {
    if (isLocal(node)) bound.set(node, narrowed(node, reads.get(node)));
    else if (node.inputs.some((input) => bound.has(input.node))) bound.set(node, { ...node, inputs: node.inputs.map(of) });
  }
  return of(root);
}

function joined(all: readonly LocalReads[]): ReadonlyMap<Node, ReadonlySet<string>> {
  const paths = new Map<Node, Set<string>>();
  for (const latest of all) {
    for (let read = latest; read !== null; read = read.before) {
      const known = paths.get(read.node) ?? new Set();
      read.paths.forEach((path) => known.add(path));
      paths.set(read.node, known);
    }
  }
  return paths;
}

function isLocal({ body }: Node): boolean {
  return body.kind === "source" && body.identifier.startsWith("local://");
}

function narrowed(node: Node, paths: ReadonlySet<string> | undefined): Node {
  // "/" asks for everything, which is said by asking for nothing in particular.
  if (node.body.kind !== "source" || paths === undefined || paths.has("/")) return node;
  const followed = [...paths].map((path) => path.slice(1)).sort(byCodePoint);
  const attrs = { "local.followpaths": JSON.stringify(followed), ...node.body.attrs };
  return { ...node, body: { ...node.body, attrs } };
}

function byCodePoint(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

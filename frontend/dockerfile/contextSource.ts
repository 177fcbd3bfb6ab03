import type { Node, Output } from "../../solver/llb/state.js";
import type { FrontendOptions } from "../options.js";
import { sourceStep } from "./convertNodes.js";

/**
 * Stands for the build context while stages are converted: which of its paths are read is known only at the end.
 * {@link bindContext} puts the real source in its place.
 */
export const contextTree: Output = sourceStep("local://context", {}, "", [], null);

/** `root` with {@link contextTree} replaced by a local source that asks for `paths` only. */
export function bindContext(root: Output | null, paths: ReadonlySet<string>, options: FrontendOptions): Output | null {
  if (root === null) return null;
  const bound = new Map<Node, Node>([[contextTree.node, localContext(paths, options).node]]);
  const of = ({ node, index }: Output): Output => ({ node: bound.get(node) ?? node, index });
  for (const node of inputsFirst(root.node)) {
    if (bound.has(node)) continue;
    const inputs = node.inputs.map(of);
    if (inputs.some((input, i) => input.node !== node.inputs[i]?.node)) bound.set(node, { ...node, inputs });
  }
  return of(root);
}

/** Every node once, inputs before users. A loop, because a file of thousands of steps would overflow the stack. */
function inputsFirst(last: Node): ReadonlySet<Node> {
  const order = new Set<Node>();
  const open = [last];
  for (let node = open.at(-1); node !== undefined; node = open.at(-1)) {
    const waiting = node.inputs.filter((input) => !order.has(input.node));
    if (waiting.length > 0) open.push(...waiting.map((input) => input.node));
    else order.add(open.pop() ?? node);
  }
  return order;
}

function localContext(paths: ReadonlySet<string>, options: FrontendOptions): Output {
  // "/" asks for everything, which is said by asking for nothing in particular.
  const followed = paths.has("/") ? [] : [...paths].map((path) => path.slice(1)).sort(byCodePoint);
  const attrs = {
    ...(followed.length === 0 ? {} : { "local.followpaths": JSON.stringify(followed) }),
    ...(options.ignore.length === 0 ? {} : { "local.excludepatterns": JSON.stringify(options.ignore) }),
    "local.sharedkeyhint": "context",
  };
  return sourceStep("local://context", attrs, "[internal] load build context", [], null);
}

function byCodePoint(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

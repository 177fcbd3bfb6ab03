import type { Selection } from "../cache/bulk/hashJobs.js";
import type { SourceRange } from "../cache/errors.js";
import type { Vertex } from "../solver/graph.js";
import type { ExecMount, FileOpAction } from "../solver/llb/op.js";
import { mountSelection, selectionOf } from "./ops/selection.js";

/** What one instruction reads of a local directory. */
export interface ContextRead {
  /** Name behind `local://`: "context" is the build context. */
  readonly directory: string;
  readonly doing: "copy" | "mount";
  readonly selection: Selection;
  /** Paths that have to exist besides the selection's own. */
  readonly required: readonly string[];
  readonly at: SourceRange | undefined;
}

/** Every read of a local directory by these steps, in the order of the Dockerfile. */
export function contextReads(steps: readonly Vertex[]): readonly ContextRead[] {
  return steps.flatMap(readsOf).sort((a, b) => lineOf(a) - lineOf(b));
}

function lineOf({ at }: ContextRead): number {
  return at?.start.line ?? 0;
}

function readsOf(vertex: Vertex): readonly ContextRead[] {
  const { body } = vertex.op;
  if (body.kind === "file") return body.actions.flatMap((action) => copyRead(vertex, action));
  return body.kind === "exec" ? body.mounts.flatMap((mount) => mountRead(vertex, mount)) : [];
}

function copyRead(vertex: Vertex, { action, secondaryInput }: FileOpAction): readonly ContextRead[] {
  const directory = localName(vertex, secondaryInput);
  if (action.kind !== "copy" || directory === null) return [];
  return [{ directory, doing: "copy", selection: selectionOf(action), required: action.requiredPaths, at: vertex.at[0] }];
}

function mountRead(vertex: Vertex, { input, selector }: ExecMount): readonly ContextRead[] {
  const directory = localName(vertex, input);
  if (directory === null) return [];
  return [{ directory, doing: "mount", selection: mountSelection(selector), required: [], at: vertex.at[0] }];
}

function localName(vertex: Vertex, input: number): string | null {
  const body = vertex.inputs[input]?.vertex.op.body;
  return body?.kind === "source" && body.identifier.startsWith("local://") ? body.identifier.slice("local://".length) : null;
}

import { hasCode, type SourceRange, TbuildError, withRange } from "../cache/errors.js";
import { explainMissing } from "../cache/tree/explain.js";
import { toBytes } from "../cache/tree/names.js";
import { selectRoots } from "../cache/tree/select.js";
import type { Edge, Vertex } from "../solver/graph.js";
import type { FileActionBody } from "../solver/llb/op.js";
import { selectionOf } from "./ops/selection.js";
import type { BuildInputs } from "./inputs.js";

type CopyBody = Extract<FileActionBody, { kind: "copy" }>;

/**
 * Looks for every file that COPY and ADD want from the context before anything runs, so that a typo costs no minutes.
 * All that is missing is reported at once. @throws {TbuildError} not_found
 */
export function checkSources(root: Edge | null, inputs: BuildInputs): void {
  if (root === null) return;
  const errors = verticesOf(root).flatMap((vertex) => missingOf(vertex, inputs));
  const [first, ...others] = errors.sort((a, b) => (a.at?.start.line ?? 0) - (b.at?.start.line ?? 0));
  if (first === undefined) return;
  throw new TbuildError(first.code, first.message, { at: first.at, hint: first.hint, others });
}

function verticesOf(root: Edge): readonly Vertex[] {
  const seen = new Set<Vertex>();
  const stack = [root.vertex];
  for (let vertex = stack.pop(); vertex !== undefined; vertex = stack.pop()) {
    if (seen.has(vertex)) continue;
    seen.add(vertex);
    stack.push(...vertex.inputs.map((input) => input.vertex));
  }
  return [...seen];
}

function missingOf(vertex: Vertex, inputs: BuildInputs): readonly TbuildError[] {
  const { body } = vertex.op;
  if (body.kind !== "file") return [];
  return body.actions.flatMap(({ action, secondaryInput }) => {
    const source = vertex.inputs[secondaryInput]?.vertex.op.body;
    if (action.kind !== "copy" || source?.kind !== "source" || source.identifier !== "local://context") return [];
    return missingSource(action, inputs, vertex.at[0]);
  });
}

function isThere(action: CopyBody, inputs: BuildInputs, at: SourceRange | undefined): boolean {
  try {
    selectRoots(toBytes(inputs.context), inputs.ignore, selectionOf(action));
    return true;
  } catch (error) {
    if (hasCode(error, "not_found")) return false;
    throw withRange(error, at);
  }
}

function missingSource(action: CopyBody, inputs: BuildInputs, at: SourceRange | undefined): readonly TbuildError[] {
  if (isThere(action, inputs, at)) return [];
  const missing = explainMissing(inputs.context, inputs.ignore, action.src);
  const shown = action.src.replace(/^\//, "");
  if (missing.rule !== null) {
    const file = inputs.ignoreFile?.name ?? ".dockerignore";
    return [new TbuildError("not_found", `Cannot copy "${shown}": excluded by ${file}: "${inputs.ignore[missing.rule]}"`, { at, hint: `Remove the rule, or add "!${shown}" after it` })];
  }
  const hint = missing.closest === null ? undefined : `Did you mean "${missing.closest}"?`;
  return [new TbuildError("not_found", `Cannot copy "${shown}": no such path in the build context "${inputs.context}"`, { at, hint })];
}

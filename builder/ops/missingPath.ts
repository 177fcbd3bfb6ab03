import type { Selection } from "../../cache/bulk/hashJobs.js";
import { hasCode, type SourceRange } from "../../cache/errors.js";
import type { Ref } from "../../cache/ref.js";
import type { Store } from "../../cache/store.js";
import { toBytes } from "../../cache/tree/names.js";
import { selectRoots } from "../../cache/tree/select.js";
import { combine } from "../../frontend/dockerfile/errors.js";
import type { Vertex } from "../../solver/graph.js";
import type { InputKey } from "../../solver/opRunner.js";
import { missingSource, type SearchedTree } from "../missingSource.js";
import { selectedInput } from "./contentKey.js";
import { noteFailedStep } from "./failedStep.js";
import { openTree } from "./trees.js";

/** What a step reads of another step's result. */
export interface PathsRead {
  readonly doing: "copy" | "mount";
  /** The reading step's input that it is; -1 for the empty tree. */
  readonly index: number;
  /** The other step; undefined for the empty tree. */
  readonly from: Vertex | undefined;
  readonly selections: readonly Selection[];
  /** Where the reading step stands. */
  readonly at: SourceRange | undefined;
}

/** An input of which only these parts are read; one that is not there is an error that says what is. */
export function pathsInput(store: Store, read: PathsRead): InputKey<Ref> {
  const key = selectedInput(store, read.selections);
  return {
    ...key,
    async content(ref, opts) {
      try {
        return await key.content(ref, opts);
      } catch (error) {
        const explained = await explainMissingPath(error, store, ref, read);
        noteFailedStep(explained, { inputs: [ref], mounts: [], subject: { kind: "cache", index: read.index } });
        throw explained;
      }
    },
  };
}

/**
 * What `error` says to people when it is that not all paths are in the tree of `ref`: each missing one with the nearest that
 * is there. Other errors are returned as they are.
 */
export async function explainMissingPath(error: unknown, store: Store, ref: Ref, read: PathsRead): Promise<unknown> {
  if (!hasCode(error, "not_found") || ref.kind !== "snapshot") return error;
  await using tree = await openTree(store, ref);
  const searched: SearchedTree = { path: tree.path, ignore: [], ignoreFile: null, name: treeName(read.from), kind: "stage" };
  const missing = read.selections.filter((selection) => isMissing(tree.path, selection));
  return missing.length === 0 ? error : combine(missing.map(({ path }) => missingSource(read.doing, path, searched, read.at)));
}

function isMissing(root: string, selection: Selection): boolean {
  try {
    selectRoots(toBytes(root), [], selection);
    return false;
  } catch (error) {
    if (hasCode(error, "not_found")) return true;
    throw error;
  }
}

/** The stage or image that a vertex is a step of, as its display name has it: "[build 2/3] RUN make". */
function treeName(vertex: Vertex | undefined): string {
  if (vertex === undefined) return "the empty tree";
  const { body } = vertex.op;
  const label = /^\[(?:(?:\S+ )?(\S+) )?\d+\/\d+\]/.exec(vertex.name)?.[1];
  if (label !== undefined) return `stage "${label}"`;
  if (body.kind === "source") return `"${body.identifier.replace(/^docker-image:\/\//, "")}"`;
  return `the result of "${vertex.name}"`;
}

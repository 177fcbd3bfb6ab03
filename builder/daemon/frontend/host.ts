import type { Output } from "../../../solver/llb/state.js";
import type { ReadTree } from "../../ops/trees.js";

/** What a frontend in this process may ask of the build that it is part of, besides what images are. */
export interface FrontendHost {
  /** Trees that the client has made before, by name; null is the empty one. */
  readonly inputs: ReadonlyMap<string, Output | null>;
  /** Runs the steps of a tree and opens what they came to. */
  open(tree: Output | null): Promise<ReadTree>;
}

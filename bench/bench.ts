import type { Buildkit } from "./buildkit.js";
import type { Tool } from "./tools.js";

/** What the cases with a registry, and those of exports, work with. */
export interface Bench {
  /** tbuild first. */
  readonly tools: readonly Tool[];
  readonly buildkit: Buildkit | null;
  readonly rounds: number;
  /** A directory that is removed in the end. */
  readonly work: string;
}

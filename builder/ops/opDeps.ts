import type { Ref } from "../../cache/ref.js";
import type { Store } from "../../cache/store.js";
import type { Executor } from "../executor/executor.js";
import type { Source } from "../source/source.js";

/** What the op runners of one build work with. */
export interface OpDeps {
  readonly store: Store;
  readonly executor: Executor;
  readonly sources: readonly Source[];
  /** Seconds since the epoch for everything that tbuild itself writes; null keeps source times. */
  readonly epoch: number | null;
}

/** The result of a step that is a snapshot. */
export type SnapshotRef = Extract<Ref, { kind: "snapshot" }>;

/** The empty tree. */
export const scratchRef: SnapshotRef = { kind: "snapshot", name: null };

import type { Ref } from "../../cache/ref.js";
import type { Store } from "../../cache/store.js";
import type { Vertex } from "../../solver/graph.js";
import type { Definition } from "../../solver/llb/definition.js";
import type { StepOpts } from "../../solver/opRunner.js";
import type { MountRestorer } from "../cacheio/importMounts.js";
import type { Executor } from "../executor/executor.js";
import type { BringHere } from "../image/absent.js";
import type { BuildLogs } from "../logs/buildLogs.js";
import type { SshAgents } from "../secrets/agents.js";
import type { SecretStore } from "../secrets/secretStore.js";
import type { Source } from "../source/source.js";
import type { FailedTrees } from "./failedStep.js";

/** What the op runners of one build work with. */
export interface OpDeps {
  readonly store: Store;
  readonly executor: Executor;
  readonly sources: readonly Source[];
  readonly secrets: SecretStore;
  readonly agents: SshAgents;
  /** Sees to it that the files of inputs are here. */
  readonly bringHere: BringHere;
  /** False when nobody reads files of the step's result. */
  readonly isRead: (vertex: Vertex) => boolean;
  /** Runs a graph that a step has found; null is the empty tree. @throws {TbuildError} as a build does */
  readonly solve: (definition: Definition, opts: StepOpts) => Promise<Ref | null>;
  /** Where the output of steps is being written. */
  readonly logs: Pick<BuildLogs, "fileOf">;
  /** Seconds since the epoch for everything that tbuild itself writes; null keeps source times. */
  readonly epoch: number | null;
  /** Fills new cache mounts with what shared caches have of them; absent where there are none. */
  readonly restoreMount?: MountRestorer["restore"] | undefined;
  /** Takes what steps leave half-made when they fail; absent where nobody will look at it. */
  readonly failed?: Pick<FailedTrees, "keep"> | undefined;
}

/** The result of a step that is a snapshot. */
export type SnapshotRef = Extract<Ref, { kind: "snapshot" }>;

/** The empty tree. */
export const scratchRef: SnapshotRef = { kind: "snapshot", name: null };

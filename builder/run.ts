import type { Ref } from "../cache/ref.js";
import type { Store } from "../cache/store.js";
import type { Solver } from "../solver/solve.js";
import type { Executor } from "./executor/executor.js";
import type { BuildInputs } from "./inputs.js";
import type { BuildLogs } from "./logs/buildLogs.js";
import type { Report } from "./internalStep.js";
import type { ApplyPolicy } from "./policy/applyPolicy.js";
import type { RemoteAccess, RemoteOptions } from "./remote.js";
import type { BuildRequest } from "./request.js";
import type { SecretStore } from "./secrets/secretStore.js";
import type { SshAgents } from "./secrets/agents.js";

/** The parts of a builder that a build uses. */
export interface BuildParts {
  readonly store: Store;
  readonly executor: Executor;
  /** Runs the graphs of all builds: those at the same time share equal steps. */
  readonly solver: Solver<Ref>;
  /** Directories of CDI specifications. */
  readonly cdiDirs: readonly string[];
  /** About the configuration, one sentence each. */
  readonly warnings: readonly string[];
  remote(options: RemoteOptions): RemoteAccess;
}

/** One build under way, whoever plans it. */
export interface Running {
  readonly parts: BuildParts;
  readonly request: Pick<BuildRequest, "reproducible">;
  readonly remote: RemoteAccess;
  /** Asks the build's source policy about the sources of each graph that is to be run. */
  readonly applyPolicy: ApplyPolicy;
  readonly secrets: SecretStore;
  readonly agents: SshAgents;
  /** Seconds; see `buildEpoch`. */
  readonly epoch: number | null;
  readonly logs: BuildLogs;
  readonly report: Report;
  readonly signal: AbortSignal;
}

/** One build under way that was asked for as a whole. */
export interface Run extends Running {
  readonly request: BuildRequest;
  readonly inputs: BuildInputs;
}

import type { SourceInfo } from "../../solver/llb/definition.js";
import type { Report } from "../internalStep.js";

/** What a build knows of the client that asked for it. */
export interface BuildJob {
  /** Chosen by the client; opaque. */
  readonly ref: string;
  readonly report: Report;
  /** Aborted when the client has gone or the daemon stops. */
  readonly signal: AbortSignal;
  /** Texts that warnings and errors point into, by the name that ranges have. */
  readonly sources: Map<string, SourceInfo>;
}

import type { SourceRange } from "../cache/errors.js";
import type { Digest } from "../cache/oci/digest.js";

/** Everything a build tells while it runs. Times are milliseconds since the epoch. */
export type Progress =
  | {
      readonly type: "vertex";
      readonly vertex: Digest;
      readonly name: string;
      readonly inputs: readonly Digest[];
      readonly at: number;
    }
  | { readonly type: "started"; readonly vertex: Digest; readonly at: number }
  | {
      readonly type: "completed";
      readonly vertex: Digest;
      readonly at: number;
      readonly cached: boolean;
      readonly error: string | null;
    }
  | { readonly type: "status"; readonly vertex: Digest; readonly status: StatusUpdate }
  | { readonly type: "log"; readonly vertex: Digest; readonly at: number; readonly stream: 1 | 2; readonly bytes: Uint8Array }
  | { readonly type: "warning"; readonly vertex: Digest | null; readonly warning: Warning };

/** Sub-progress of a vertex: the same id is updated. `total` 0 when unknown; bytes unless the name says otherwise. */
export interface StatusUpdate {
  readonly id: string;
  readonly current: number;
  readonly total: number;
  readonly startedAt: number;
  readonly completedAt: number | null;
}

/** Advice that does not fail the build. */
export interface Warning {
  /** Rule name such as "JSONArgsRecommended", or null. */
  readonly rule: string | null;
  readonly message: string;
  readonly detail: string;
  /** How bad it is, as frontends of clients count: 1 is what a check says, the default. */
  readonly level?: number;
  readonly url: string | null;
  readonly at: SourceRange | null;
}

/** How a step reports. Calls never block and never throw. */
export interface StepReporter {
  log(stream: 1 | 2, bytes: Uint8Array): void;
  /** Starts or updates sub-progress. */
  status(id: string, current: number, total: number): void;
  /** Ends sub-progress. */
  statusDone(id: string): void;
  warn(warning: Warning): void;
}

import type { Store } from "../../cache/store.js";
import type { HistoryConfig } from "../config.js";
import type { BuildRequest } from "../request.js";

/** A build that is to be remembered. */
export interface RecordedBuild {
  readonly store: Store;
  /** What is kept of all builds. */
  readonly limits: HistoryConfig;
  readonly request: BuildRequest;
  readonly ref: string;
  /** Address of the builder that runs it; null for this process. */
  readonly address: string | null;
  /** When other processes can see it: one that is soon over need not be seen. */
  readonly visible: "at once" | "soon";
}

/** How a build ended. */
export type RecordedEnd =
  | { readonly kind: "done"; readonly exporterResponse: Readonly<Record<string, string>> }
  | { readonly kind: "failed"; readonly error: unknown };

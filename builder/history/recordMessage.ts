import type { BuildRecord } from "../../cache/meta/records.js";
import type { BuildHistoryRecordInput } from "../api/history.js";

/** What is known of a build while it runs. */
export type BuildStart = Pick<BuildRecord, "ref" | "frontend" | "frontendAttrs" | "exporters" | "createdAt">;

/** A record as clients get it; a build that runs has no end yet. */
export function recordMessage(build: BuildStart | BuildRecord): BuildHistoryRecordInput {
  const { ref, frontend, frontendAttrs, exporters, createdAt } = build;
  const start = { ref, frontend, frontendAttrs, exporters, createdAt };
  if (!("completedAt" in build)) return start;
  const { completedAt, error, errorDetails, logs, trace = null, exporterResponse, results, steps, pinned, generation } = build;
  const [first] = results;
  return {
    ...start,
    completedAt,
    error: error === null ? null : { ...error, details: [] },
    externalError: errorDetails,
    logs,
    trace,
    exporterResponse,
    result: first === undefined ? null : { resultDeprecated: first, results: new Map(results.entries()) },
    pinned,
    generation,
    numCachedSteps: steps.cached,
    numTotalSteps: steps.total,
    numCompletedSteps: steps.completed,
    numWarnings: steps.warnings,
  };
}

import type { BuildRecord } from "../../cache/meta/records.js";
import type { BuildHistoryRecordInput } from "../api/history.js";

/** What is known of a build while it runs. */
export type BuildStart = Pick<BuildRecord, "ref" | "frontend" | "frontendAttrs" | "exporters" | "createdAt">;

/** A record as clients get it; a build that runs has no end yet. */
export function recordMessage(build: BuildStart | BuildRecord): BuildHistoryRecordInput {
  const { ref, frontend, frontendAttrs, exporters, createdAt } = build;
  const start = { ref, frontend, frontendAttrs, exporters, createdAt };
  if (!("completedAt" in build)) return start;
  const { completedAt, error, errorDetails, logs, trace = null, exporterResponse, steps, pinned, generation } = build;
  return {
    ...start,
    completedAt,
    error: error === null ? null : { ...error, details: [] },
    externalError: errorDetails,
    logs,
    trace,
    exporterResponse,
    ...resultInfos(build),
    pinned,
    generation,
    numCachedSteps: steps.cached,
    numTotalSteps: steps.total,
    numCompletedSteps: steps.completed,
    numWarnings: steps.warnings,
  };
}

/** What was exported, and what is said of it: of one platform, or of each. */
function resultInfos({ results, attestations = [] }: BuildRecord): Pick<BuildHistoryRecordInput, "result" | "results"> {
  const [first] = results;
  const saidOf = (platform: string) => attestations.flatMap((one) => (one.platform === platform ? [one.blob] : []));
  const platforms = [...new Set(attestations.map(({ platform }) => platform))].filter((platform) => platform !== "");
  const exported = first === undefined ? {} : { resultDeprecated: first, results: new Map(results.entries()) };
  const said = saidOf("");
  return {
    result: first === undefined && said.length === 0 ? null : { ...exported, attestations: said },
    results: Object.fromEntries(platforms.map((platform) => [platform, { attestations: saidOf(platform) }])),
  };
}

import type { BuildRecord } from "../../cache/meta/records.js";

/** A build that succeeded, from second 1 to second 2 after the epoch; for tests. */
export function testRecord(ref: string, further: Partial<BuildRecord> = {}): BuildRecord {
  return {
    ref,
    frontend: "",
    frontendAttrs: {},
    exporters: [],
    createdAt: 1000,
    completedAt: 2000,
    error: null,
    errorDetails: null,
    logs: null,
    exporterResponse: {},
    results: [],
    steps: { total: 0, completed: 0, cached: 0, warnings: 0 },
    pinned: false,
    generation: 0,
    ...further,
  };
}

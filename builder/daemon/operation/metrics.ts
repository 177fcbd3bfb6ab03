import { readdirSync } from "node:fs";
import { status as grpcStatus } from "@grpc/grpc-js";
import type { BuildRecord } from "../../../cache/meta/records.js";

/** Counts of a daemon, for Prometheus. */
export interface Metrics {
  /** A build has ended. */
  count(record: Pick<BuildRecord, "error" | "createdAt" | "completedAt" | "steps">): void;
  /** So many bytes were removed because they were too much. */
  collected(bytes: number): void;
  /** All of them, in Prometheus's text format, version 0.0.4. */
  text(): string;
}

/** Seconds. Those of OpenTelemetry's SDK, which BuildKit uses. */
const BUCKETS = [0, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10_000];

interface Histogram {
  readonly counts: number[];
  sum: number;
  total: number;
}

/**
 * No builds yet; `running` tells how many there are. Names and labels are BuildKit's (solver/llbsolver/metrics.go) as its exporter writes
 * them. Written here because a client library for these few counters is larger than they are.
 */
export function createMetrics(running: () => number): Metrics {
  const builds = new Map<string, number>();
  const steps = { completed: 0, cached: 0, total: 0, warnings: 0 };
  const durations = new Map<string, Histogram>();
  let [collections, freed] = [0, 0];

  function count({ error, createdAt, completedAt, steps: counted }: Parameters<Metrics["count"]>[0]): void {
    const status = error === null ? "success" : "failure";
    const labels = error === null ? `status="${status}"` : `error_code="${codeName(error.code)}",status="${status}"`;
    builds.set(labels, (builds.get(labels) ?? 0) + 1);
    for (const kind of ["completed", "cached", "total", "warnings"] as const) steps[kind] += counted[kind];
    observe(durations, status, Math.max(0, completedAt - createdAt) / 1000);
  }
  return {
    count,
    collected(bytes) {
      collections++;
      freed += bytes;
    },
    text: () =>
      [
        ...family("buildkit_builds_total", "counter", "Number of builds completed, labeled by status and, on failure, gRPC error code.", builds),
        ...family("buildkit_builds_steps_total", "counter", "Build steps observed, by kind.", new Map(Object.entries(steps).map(([kind, n]) => [`kind="${kind}"`, n]))),
        ...histogram("buildkit_build_duration_seconds", "Wall-clock duration of builds.", durations),
        ...family("tbuild_builds_running", "gauge", "Builds that run now.", new Map([["", running()]])),
        ...family("tbuild_collections_total", "counter", "How often the store was collected.", new Map([["", collections]])),
        ...family("tbuild_collected_bytes_total", "counter", "Bytes removed by collection.", new Map([["", freed]])),
        ...processMetrics(),
        "",
      ].join("\n"),
  };
}

function observe(durations: Map<string, Histogram>, status: string, seconds: number): void {
  const known = durations.get(status) ?? { counts: BUCKETS.map(() => 0), sum: 0, total: 0 };
  durations.set(status, known);
  for (const [index, bound] of BUCKETS.entries()) if (seconds <= bound) known.counts[index]!++;
  known.sum += seconds;
  known.total++;
}

function family(name: string, type: "counter" | "gauge", help: string, values: ReadonlyMap<string, number>): readonly string[] {
  const lines = [...values].map(([labels, value]) => `${name}${labels === "" ? "" : `{${labels}}`} ${value}`);
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines];
}

function histogram(name: string, help: string, values: ReadonlyMap<string, Histogram>): readonly string[] {
  const lines = [...values].flatMap(([status, { counts, sum, total }]) => [
    ...BUCKETS.map((bound, index) => `${name}_bucket{status="${status}",le="${bound}"} ${counts[index]}`),
    `${name}_bucket{status="${status}",le="+Inf"} ${total}`,
    `${name}_sum{status="${status}"} ${sum}`,
    `${name}_count{status="${status}"} ${total}`,
  ]);
  return [`# HELP ${name} ${help}`, `# TYPE ${name} histogram`, ...lines];
}

function processMetrics(): readonly string[] {
  const { user, system } = process.cpuUsage();
  const one = (value: number) => new Map([["", value]]);
  return [
    ...family("process_cpu_seconds_total", "counter", "Total user and system CPU time spent in seconds.", one((user + system) / 1e6)),
    ...family("process_resident_memory_bytes", "gauge", "Resident memory size in bytes.", one(process.memoryUsage.rss())),
    ...family("process_open_fds", "gauge", "Number of open file descriptors.", one(readdirSync("/proc/self/fd").length)),
    ...family("process_start_time_seconds", "gauge", "Start time of the process since unix epoch in seconds.", one(Math.round(performance.timeOrigin) / 1000)),
  ];
}

/** "NotFound": as Go calls the code. */
function codeName(code: number): string {
  const name = grpcStatus[code] ?? "UNKNOWN";
  return name.toLowerCase().replace(/(?:^|_)(.)/g, (_, letter: string) => letter.toUpperCase()).replace("Cancelled", "Canceled");
}

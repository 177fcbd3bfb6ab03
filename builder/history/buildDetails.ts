import type { BuildHistoryRecord } from "./buildHistory.js";
import { buildName } from "./buildName.js";
import { statusOf } from "./recordFilter.js";
import { BUILDER_ATTR, CONTEXT_ATTR } from "./requestStart.js";

/** Name and value of an option. */
export interface NamedValue {
  readonly Name: string;
  readonly Value: string;
}

/** What is known of a build, in the form of `docker buildx history inspect --format json`. */
export interface BuildDetails {
  readonly Name: string;
  readonly Ref: string;
  readonly Context?: string;
  readonly Dockerfile?: string;
  readonly VCSRepository?: string;
  readonly VCSRevision?: string;
  readonly Target?: string;
  readonly Platform?: readonly string[];
  readonly Builder?: string;
  readonly NamedContexts?: readonly NamedValue[];
  readonly StartedAt: string;
  readonly CompletedAt?: string;
  /** Nanoseconds, as Go counts. */
  readonly Duration: number;
  readonly Status: "running" | "completed" | "canceled" | "failed";
  readonly Error?: { readonly Code: number; readonly Message: string };
  readonly NumCompletedSteps: number;
  readonly NumTotalSteps: number;
  readonly NumCachedSteps: number;
  readonly NumWarnings: number;
  readonly BuildArgs?: readonly NamedValue[];
  readonly Labels?: readonly NamedValue[];
  /** Further options of the frontend. */
  readonly Config: Readonly<Record<string, string>>;
  readonly Outputs: readonly string[];
  readonly Results?: readonly NamedValue[];
}

const NOT_CONFIG = ["target", "platform", "context", "filename", "frontend.caps", "vcs:source", "vcs:revision", "cmdline", "source", CONTEXT_ATTR, BUILDER_ATTR];

/** `now` in milliseconds since the epoch, for a build that runs. */
export function buildDetails(record: BuildHistoryRecord, now: number): BuildDetails {
  const { ref, frontendAttrs: attrs, completedAt, error, exporters } = record;
  const createdAt = record.createdAt ?? now;
  const status = statusOf(record);
  return {
    Name: buildName(attrs),
    Ref: ref,
    ...present({
      Context: attrs["context"] ?? attrs[CONTEXT_ATTR],
      Dockerfile: attrs["filename"],
      VCSRepository: attrs["vcs:source"],
      VCSRevision: attrs["vcs:revision"],
      Target: attrs["target"],
      Builder: attrs[BUILDER_ATTR],
    }),
    ...(attrs["platform"] === undefined ? {} : { Platform: attrs["platform"].split(",") }),
    ...some("NamedContexts", prefixed(attrs, "context:")),
    StartedAt: new Date(createdAt).toISOString(),
    ...(completedAt === null ? {} : { CompletedAt: new Date(completedAt).toISOString() }),
    Duration: ((completedAt ?? now) - createdAt) * 1e6,
    Status: status === "error" ? "failed" : status,
    ...(error === null || status === "completed" ? {} : { Error: { Code: error.code, Message: error.message } }),
    NumCompletedSteps: record.numCompletedSteps,
    NumTotalSteps: record.numTotalSteps,
    NumCachedSteps: record.numCachedSteps,
    NumWarnings: record.numWarnings,
    ...some("BuildArgs", prefixed(attrs, "build-arg:")),
    ...some("Labels", prefixed(attrs, "label:")),
    Config: configOf(attrs),
    Outputs: exporters.map(({ type, attrs: given }) => [type, ...Object.entries(given).map(([key, value]) => `${key}=${value}`)].join(",")),
    ...some("Results", prefixed(record.exporterResponse, "")),
  };
}

function configOf(attrs: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const rest = Object.entries(attrs).filter(([key]) => !NOT_CONFIG.includes(key) && !/^(?:context|build-arg|label):/.test(key));
  return Object.fromEntries(rest);
}

function prefixed(attrs: Readonly<Record<string, string>>, prefix: string): readonly NamedValue[] {
  return Object.entries(attrs).flatMap(([key, Value]) => (key.startsWith(prefix) ? [{ Name: key.slice(prefix.length), Value }] : []));
}

function some<K extends string>(name: K, values: readonly NamedValue[]): { readonly [N in K]?: readonly NamedValue[] } {
  return values.length === 0 ? {} : ({ [name]: values } as { readonly [N in K]: readonly NamedValue[] });
}

function present<K extends string>(values: { readonly [N in K]: string | undefined }): { readonly [N in K]?: string } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as { readonly [N in K]?: string };
}

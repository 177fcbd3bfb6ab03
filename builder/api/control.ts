import { definitionCodec } from "../../solver/llb/codecDefinition.js";
import { child, childMap, children, flag, int, text, textMap, texts } from "../../solver/llb/message.js";
import { empty, typeAndAttrs } from "./common.js";
import { buildHistoryEvent, buildHistoryRequest, updateBuildHistoryRequest } from "./history.js";
import { bytesMessage } from "./session.js";
import { bidi, serverStream, service, unary } from "./service.js";
import { sourcePolicy } from "./policy.js";
import { type Decoded, type Encodable, schema, time } from "./schema.js";
import { statusResponse } from "./status.js";
import { buildkitVersion, workerRecord } from "./worker.js";

const cacheOptions = schema({
  exportRefDeprecated: text(1),
  importRefsDeprecated: texts(2),
  exportAttrsDeprecated: textMap(3),
  exports: children(4, typeAndAttrs),
  imports: children(5, typeAndAttrs),
});

const solveRequest = schema({
  ref: text(1),
  definition: child(2, definitionCodec),
  exporterDeprecated: text(3),
  exporterAttrsDeprecated: textMap(4),
  session: text(5),
  frontend: text(6),
  frontendAttrs: textMap(7),
  cache: child(8, cacheOptions),
  entitlements: texts(9),
  frontendInputs: childMap(10, definitionCodec),
  internal: flag(11),
  sourcePolicy: child(12, sourcePolicy),
  exporters: children(13, typeAndAttrs),
  enableSessionExporter: flag(14),
  sourcePolicySession: text(15),
  compatibilityVersion: int(16),
  proxyNetwork: flag(17),
});

/** `SolveRequest`. */
export type SolveRequest = Decoded<typeof solveRequest>;

const solveResponse = schema({ exporterResponse: textMap(1) });

const usageRecord = schema({
  id: text(1),
  mutable: flag(2),
  inUse: flag(3),
  size: int(4),
  parentDeprecated: text(5),
  createdAt: time(6),
  lastUsedAt: time(7),
  usageCount: int(8),
  description: text(9),
  recordType: text(10),
  shared: flag(11),
  parents: texts(12),
});

/** What is written as a `UsageRecord`. */
export type UsageRecordInput = Encodable<typeof usageRecord>;

const diskUsageRequest = schema({ filter: texts(1), ageLimit: int(2) });

/** `DiskUsageRequest`; `ageLimit` in nanoseconds. */
export type DiskUsageRequest = Decoded<typeof diskUsageRequest>;

const pruneRequest = schema({
  filter: texts(1),
  all: flag(2),
  keepDuration: int(3),
  reservedSpace: int(4),
  maxUsedSpace: int(5),
  minFreeSpace: int(6),
});

/** `PruneRequest`; `keepDuration` in nanoseconds, space in bytes. */
export type PruneRequest = Decoded<typeof pruneRequest>;

/** `moby.buildkit.v1.Control`. */
export const controlService = service("moby.buildkit.v1.Control", {
  DiskUsage: unary(diskUsageRequest, schema({ record: children(1, usageRecord) })),
  Prune: serverStream(pruneRequest, usageRecord),
  Solve: unary(solveRequest, solveResponse),
  Status: serverStream(schema({ ref: text(1) }), statusResponse),
  Session: bidi(bytesMessage, bytesMessage),
  ListWorkers: unary(schema({ filter: texts(1) }), schema({ record: children(1, workerRecord) })),
  Info: unary(empty, schema({ buildkitVersion: child(1, buildkitVersion) })),
  ListenBuildHistory: serverStream(buildHistoryRequest, buildHistoryEvent),
  UpdateBuildHistory: unary(updateBuildHistoryRequest, empty),
});

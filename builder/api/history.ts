import { child, children, flag, int, text, textMap, texts } from "../../solver/llb/message.js";
import { childMap } from "../../solver/llb/message.js";
import { descriptor, status, typeAndAttrs } from "./common.js";
import { type Decoded, type Encodable, numberMap, schema, time } from "./schema.js";

/** `BuildHistoryRequest`. */
export const buildHistoryRequest = schema({ activeOnly: flag(1), ref: text(2), earlyExit: flag(3), filter: texts(4), limit: int(5) });

/** See {@link buildHistoryRequest}. */
export type BuildHistoryRequest = Decoded<typeof buildHistoryRequest>;

const buildResultInfo = schema({
  resultDeprecated: child(1, descriptor),
  attestations: children(2, descriptor),
  results: numberMap(3, descriptor),
});

/** `BuildHistoryRecord`. */
export const buildHistoryRecord = schema({
  ref: text(1),
  frontend: text(2),
  frontendAttrs: textMap(3),
  exporters: children(4, typeAndAttrs),
  error: child(5, status),
  createdAt: time(6),
  completedAt: time(7),
  logs: child(8, descriptor),
  exporterResponse: textMap(9),
  result: child(10, buildResultInfo),
  results: childMap(11, buildResultInfo),
  generation: int(12),
  trace: child(13, descriptor),
  pinned: flag(14),
  numCachedSteps: int(15),
  numTotalSteps: int(16),
  numCompletedSteps: int(17),
  externalError: child(18, descriptor),
  numWarnings: int(19),
});

/** What is written as a `BuildHistoryRecord`. */
export type BuildHistoryRecordInput = Encodable<typeof buildHistoryRecord>;

/** Numbers of the types of events. */
export const eventType = { started: 0, complete: 1, deleted: 2 } as const;

/** `BuildHistoryEvent`; see {@link eventType}. */
export const buildHistoryEvent = schema({ type: int(1), record: child(2, buildHistoryRecord) });

/** What is written as a `BuildHistoryEvent`. */
export type BuildHistoryEventInput = Encodable<typeof buildHistoryEvent>;

/** `UpdateBuildHistoryRequest`. */
export const updateBuildHistoryRequest = schema({ ref: text(1), pinned: flag(2), delete: flag(3), finalize: flag(4) });

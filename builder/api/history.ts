import { child, children, flag, int, text, textMap, texts } from "../../solver/llb/message.js";
import { childMap } from "../../solver/llb/message.js";
import { descriptor, status, typeAndAttrs } from "./common.js";
import { numberMap, schema, time } from "./schema.js";

/** `BuildHistoryRequest`. */
export const buildHistoryRequest = schema({ activeOnly: flag(1), ref: text(2), earlyExit: flag(3), filter: texts(4), limit: int(5) });

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

/** `BuildHistoryEvent`. Types: 0 started, 1 complete, 2 deleted. */
export const buildHistoryEvent = schema({ type: int(1), record: child(2, buildHistoryRecord) });

/** `UpdateBuildHistoryRequest`. */
export const updateBuildHistoryRequest = schema({ ref: text(1), pinned: flag(2), delete: flag(3), finalize: flag(4) });

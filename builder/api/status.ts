import { sourceInfo, wireRange } from "../../solver/llb/codecDefinition.js";
import { blob, blobs, child, children, flag, int, text, texts } from "../../solver/llb/message.js";
import { type Decoded, type Encodable, schema, time } from "./schema.js";

const progressGroup = schema({ id: text(1), name: text(2), weak: flag(3) });

const vertex = schema({
  digest: text(1),
  inputs: texts(2),
  name: text(3),
  cached: flag(4),
  started: time(5),
  completed: time(6),
  error: text(7),
  progressGroup: child(8, progressGroup),
});

const vertexStatus = schema({
  id: text(1),
  vertex: text(2),
  name: text(3),
  current: int(4),
  total: int(5),
  timestamp: time(6),
  started: time(7),
  completed: time(8),
});

const vertexLog = schema({ vertex: text(1), timestamp: time(2), stream: int(3), msg: blob(4) });

const vertexWarning = schema({
  vertex: text(1),
  level: int(2),
  short: blob(3),
  detail: blobs(4),
  url: text(5),
  info: child(6, sourceInfo),
  ranges: children(7, wireRange),
});

/** `StatusResponse`. Streams of logs: 1 stdout, 2 stderr. */
export const statusResponse = schema({
  vertexes: children(1, vertex),
  statuses: children(2, vertexStatus),
  logs: children(3, vertexLog),
  warnings: children(4, vertexWarning),
});

/** See {@link statusResponse}. */
export type StatusMessage = Decoded<typeof statusResponse>;

/** What is written as a `StatusResponse`. */
export type StatusInput = Encodable<typeof statusResponse>;

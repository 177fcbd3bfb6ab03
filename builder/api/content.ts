import { blob, child, children, int, text, textMap, texts } from "../../solver/llb/message.js";
import { bidi, serverStream, service, unary } from "./service.js";
import { empty } from "./common.js";
import { type Decoded, schema, time } from "./schema.js";

const info = schema({ digest: text(1), size: int(2), createdAt: time(3), updatedAt: time(4), labels: textMap(5) });

const ingestStatus = schema({
  startedAt: time(1),
  updatedAt: time(2),
  ref: text(3),
  offset: int(4),
  total: int(5),
  expected: text(6),
});

const writeRequest = schema({
  action: int(1),
  ref: text(2),
  total: int(3),
  expected: text(4),
  offset: int(5),
  data: blob(6),
  labels: textMap(7),
});

/** What a `WriteContentRequest` asks for. */
export const writeAction = { stat: 0, write: 1, commit: 2 } as const;

const writeResponse = schema({
  action: int(1),
  startedAt: time(2),
  updatedAt: time(3),
  offset: int(4),
  total: int(5),
  digest: text(6),
});

const readRequest = schema({ digest: text(1), offset: int(2), size: int(3) });

/** `ReadContentRequest`; a size of 0 is all that follows the offset. */
export type ReadContentRequest = Decoded<typeof readRequest>;

/** `containerd.services.content.v1.Content`. Source: containerd api/services/content/v1. */
export const contentService = service("containerd.services.content.v1.Content", {
  Info: unary(schema({ digest: text(1) }), schema({ info: child(1, info) })),
  Update: unary(schema({ info: child(1, info), updateMask: child(2, schema({ paths: texts(1) })) }), schema({ info: child(1, info) })),
  List: serverStream(schema({ filters: texts(1) }), schema({ info: children(1, info) })),
  Delete: unary(schema({ digest: text(1) }), empty),
  Read: serverStream(readRequest, schema({ offset: int(1), data: blob(2) })),
  Status: unary(schema({ ref: text(1) }), schema({ status: child(1, ingestStatus) })),
  ListStatuses: unary(schema({ filters: texts(1) }), schema({ statuses: children(1, ingestStatus) })),
  Write: bidi(writeRequest, writeResponse),
  Abort: unary(schema({ ref: text(1) }), empty),
});

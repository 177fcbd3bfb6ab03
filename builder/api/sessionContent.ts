import { blob, child, children, int, oneOf, text, textMap, texts } from "../../solver/llb/message.js";
import { method } from "./method.js";
import { schema, time } from "./schema.js";

// Blobs of a client. Source: containerd, api/services/content/v1/content.proto.

/** What is known of a blob. Times in milliseconds since the epoch. */
export const blobInfo = schema({ digest: text(1), size: int(2), createdAt: time(3), updatedAt: time(4), labels: textMap(5) });

/** One blob. */
export const getBlobInfo = method(
  "/containerd.services.content.v1.Content/Info",
  schema({ digest: text(1) }),
  schema({ info: child(1, blobInfo) }),
);

/** What blobs there are; filters are those of containerd. */
export const listBlobs = method(
  "/containerd.services.content.v1.Content/List",
  schema({ filters: texts(1) }),
  schema({ info: children(1, blobInfo) }),
);

/** Bytes of a blob in pieces; a size of 0 is all that follows the offset. */
export const readBlob = method(
  "/containerd.services.content.v1.Content/Read",
  schema({ digest: text(1), offset: int(2), size: int(3) }),
  schema({ offset: int(1), data: blob(2) }),
);

const actions = ["stat", "write", "commit"] as const;

/** Writes a blob, a piece and an answer after the other. `ref` names the write; a commit may carry the last piece. */
export const writeBlob = method(
  "/containerd.services.content.v1.Content/Write",
  schema({
    action: oneOf(1, actions),
    ref: text(2),
    total: int(3),
    expected: text(4),
    offset: int(5),
    data: blob(6),
    labels: textMap(7),
  }),
  schema({ action: oneOf(1, actions), startedAt: time(2), updatedAt: time(3), offset: int(4), total: int(5), digest: text(6) }),
);

/** Forgets a write. */
export const abortWrite = method("/containerd.services.content.v1.Content/Abort", schema({ ref: text(1) }), schema({}));

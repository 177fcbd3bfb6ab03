import { blob, children, flag, int, text, textMap } from "../../solver/llb/message.js";
import { type Decoded, schema } from "./schema.js";

/** `google.protobuf.Empty`, and every request or response without fields. */
export const empty = schema({});

/** `google.protobuf.Any`. */
export const any = schema({ typeUrl: text(1), value: blob(2) });

/** `google.rpc.Status`. `code` is gRPC's number. */
export const status = schema({ code: int(1), message: text(2), details: children(3, any) });

/** See {@link status}. */
export type Status = Decoded<typeof status>;

/** BuildKit's `Descriptor` of content. */
export const descriptor = schema({ mediaType: text(1), digest: text(2), size: int(3), annotations: textMap(5) });

/** `apicaps.APICap`: something that a client may ask for. */
export const apiCap = schema({
  id: text(1),
  enabled: flag(2),
  deprecated: flag(3),
  disabledReason: text(4),
  disabledReasonMessage: text(5),
  disabledAlternative: text(6),
});

/** `Type` and `Attrs` of an exporter or a cache: BuildKit has several such messages with the same fields. */
export const typeAndAttrs = schema({ type: text(1), attrs: textMap(2) });

/** See {@link typeAndAttrs}. */
export type TypeAndAttrs = Decoded<typeof typeAndAttrs>;

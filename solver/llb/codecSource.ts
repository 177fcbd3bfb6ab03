import { type Codec, mapped, message, text, textMap } from "./message.js";
import type { SourceOp } from "./op.js";

/** pb.SourceOp. */
export const sourceOp: Codec<SourceOp> = mapped(
  message<Omit<SourceOp, "kind">>({ identifier: text(1), attrs: textMap(2) }),
  (op) => op,
  (wire) => ({ kind: "source", ...wire }),
);

import { encodeOp } from "../../solver/llb/codec.js";
import { blob, child, encode, int, textMap, texts } from "../../solver/llb/message.js";
import type { Op } from "../../solver/llb/op.js";
import type { Status } from "./common.js";
import { schema } from "./schema.js";

const indexed = schema({ index: int(1) });

/** `errdefs.Solve`. The op stays bytes. */
export const solveError = schema({
  inputIds: texts(1),
  mountIds: texts(2),
  op: blob(3),
  file: child(4, indexed),
  cache: child(5, indexed),
  description: textMap(6),
});

/** A failed step as its client can open it. */
export interface FailedSolve {
  /** Ids of results for containers, "" for none. */
  readonly inputIds: readonly string[];
  readonly mountIds: readonly string[];
  readonly op: Op;
  /** The file action that failed, or the input whose content could not be told. */
  readonly subject: { readonly kind: "file" | "cache"; readonly index: number } | null;
  readonly description: Readonly<Record<string, string>>;
}

/**
 * What a client needs to open a container in a failed step. In protobuf, which clients take as they take JSON: the step's op is
 * given back as it came.
 */
export function solveDetail({ inputIds, mountIds, op, subject, description }: FailedSolve): Status["details"][number] {
  const arm = (kind: "file" | "cache") => (subject?.kind === kind ? { index: subject.index } : null);
  const message = { inputIds, mountIds, op: encodeOp(op), file: arm("file"), cache: arm("cache"), description };
  return { typeUrl: "github.com/moby/buildkit/errdefs.Solve", value: encode(solveError, message) };
}

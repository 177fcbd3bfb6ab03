import { TbuildError } from "../../cache/errors.js";
import type { Ref } from "../../cache/ref.js";
import type { PassthroughOp } from "../../solver/llb/op.js";
import type { OpRunner } from "../../solver/opRunner.js";
import { wholeInput } from "./contentKey.js";
import { opDigest } from "./opDigest.js";
import type { OpDeps } from "./opDeps.js";

/** Gives some of its inputs, and so makes whoever reads them wait for the others. */
export function passthroughRunner({ store }: OpDeps, op: PassthroughOp): OpRunner<Ref> {
  return {
    async cacheMap(vertex) {
      return { digest: opDigest(vertex.op), attributes: { id: op.id }, inputs: vertex.inputs.map(() => wholeInput(store)) };
    },
    async exec(vertex, inputs) {
      if (op.id === "" || op.outputs.length === 0) {
        throw new TbuildError("invalid_argument", `Cannot run "${vertex.name}": it has no ${op.id === "" ? "id" : "outputs"}`);
      }
      return op.outputs.map((index) => inputs[index]!);
    },
  };
}

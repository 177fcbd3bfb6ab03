import { lstatSync, readFileSync } from "node:fs";
import { TbuildError } from "../../cache/errors.js";
import type { Ref } from "../../cache/ref.js";
import { decodeDefinition } from "../../solver/llb/codec.js";
import type { Definition } from "../../solver/llb/definition.js";
import type { BuildOp } from "../../solver/llb/op.js";
import type { OpRunner } from "../../solver/opRunner.js";
import { resolvedInRoot } from "../executor/rootFile.js";
import { wholeInput } from "./contentKey.js";
import { opDigest } from "./opDigest.js";
import { type OpDeps, scratchRef } from "./opDeps.js";
import { openTree } from "./trees.js";

/** Name of the input that has the definition, and of its file there. Source: BuildKit solver/pb/const.go. */
const DEFINITION = "buildkit.llb.definition";

/** Name of the file where it is another. */
const FILENAME = "llbbuild.filename";

/** A definition is no data; those of large builds have a few MB. */
const MAX_BYTES = 64 * 2 ** 20;

/** Runs the graph whose definition is in a file of an input; its result is the step's. */
export function buildRunner(deps: OpDeps, op: BuildOp): OpRunner<Ref> {
  return {
    async cacheMap(vertex) {
      return { digest: opDigest(vertex.op), attributes: { file: fileOf(op) }, inputs: vertex.inputs.map(() => wholeInput(deps.store)) };
    },
    async exec(vertex, inputs, opts) {
      if (op.builder !== -1) throw new TbuildError("unsupported", `Cannot run "${vertex.name}": its builder is an image`);
      const input = inputs[op.inputs[DEFINITION] ?? -1];
      if (input === undefined) throw new TbuildError("invalid_argument", `Cannot run "${vertex.name}": it has no input "${DEFINITION}"`);
      return [(await deps.solve(await readDefinition(deps, input, fileOf(op)), opts)) ?? scratchRef];
    },
  };
}

function fileOf({ attrs }: BuildOp): string {
  return attrs[FILENAME] ?? DEFINITION;
}

async function readDefinition({ store }: OpDeps, ref: Ref, name: string): Promise<Definition> {
  await using tree = await openTree(store, ref);
  const file = resolvedInRoot(tree.path, name);
  if (file === null) throw new TbuildError("not_found", `Cannot read the build definition "${name}": there is no such file`);
  const stat = lstatSync(file);
  if (!stat.isFile() || stat.size > MAX_BYTES) {
    throw new TbuildError("invalid_argument", `Cannot read the build definition "${name}": it is ${stat.isFile() ? "too large" : "no regular file"}`);
  }
  return decodeDefinition(readFileSync(file));
}

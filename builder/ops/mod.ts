import { TbuildError } from "../../cache/errors.js";
import type { Ref } from "../../cache/ref.js";
import type { Vertex } from "../../solver/graph.js";
import type { OpRunner } from "../../solver/opRunner.js";
import { diffRunner } from "./diff.js";
import { execRunner } from "./exec.js";
import { fileRunner } from "./file.js";
import type { OpDeps } from "./opDeps.js";
import { mergeRunner } from "./merge.js";
import { reading } from "./reading.js";
import { sourceRunner } from "./source.js";

/** The runner of a vertex, chosen by the kind of its op. @throws {TbuildError} unsupported */
export function opRunner(deps: OpDeps, vertex: Vertex): OpRunner<Ref> {
  const { body } = vertex.op;
  switch (body.kind) {
    case "source":
      return sourceRunner(deps, body);
    case "exec":
      return reading(execRunner(deps, body), deps.bringHere);
    case "file":
      return reading(fileRunner(deps, body), deps.bringHere);
    case "merge":
      return mergeRunner(deps, body);
    case "diff":
      return reading(diffRunner(deps, body), deps.bringHere);
    case "build":
      throw new TbuildError("unsupported", `Cannot run "${vertex.name}": "${body.kind}" steps are not supported yet`);
  }
}

import { TbuildError } from "../../cache/errors.js";
import type { Ref } from "../../cache/ref.js";
import type { Vertex } from "../../solver/graph.js";
import type { OpRunner } from "../../solver/opRunner.js";
import { execRunner } from "./exec.js";
import { fileRunner } from "./file.js";
import type { OpDeps } from "./opDeps.js";
import { mergeRunner } from "./merge.js";
import { sourceRunner } from "./source.js";

/** The runner of a vertex, chosen by the kind of its op. @throws {TbuildError} unsupported */
export function opRunner(deps: OpDeps, vertex: Vertex): OpRunner<Ref> {
  const { body } = vertex.op;
  switch (body.kind) {
    case "source":
      return sourceRunner(deps, body);
    case "exec":
      return execRunner(deps, body);
    case "file":
      return fileRunner(deps, body);
    case "merge":
      return mergeRunner(deps, body);
    case "diff":
    case "build":
      throw new TbuildError("unsupported", `Cannot run "${vertex.name}": "${body.kind}" steps are not supported yet`);
  }
}

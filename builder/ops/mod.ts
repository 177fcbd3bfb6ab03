import type { Ref } from "../../cache/ref.js";
import type { Vertex } from "../../solver/graph.js";
import type { OpRunner } from "../../solver/opRunner.js";
import { buildRunner } from "./build.js";
import { diffRunner } from "./diff.js";
import { execRunner } from "./exec.js";
import { fileRunner } from "./file.js";
import type { OpDeps } from "./opDeps.js";
import { mergeRunner } from "./merge.js";
import { passthroughRunner } from "./passthrough.js";
import { reading } from "./reading.js";
import { sourceRunner } from "./source.js";

/** The runner of a vertex, chosen by the kind of its op. */
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
      return reading(buildRunner(deps, body), deps.bringHere);
    case "passthrough":
      return passthroughRunner(deps, body);
  }
}

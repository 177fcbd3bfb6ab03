import { TbuildError } from "../cache/errors.js";
import { topologicalOrder, type Edge, type Vertex } from "../solver/graph.js";
import type { ExecMount } from "../solver/llb/op.js";
import { isLeftOut } from "./ops/execMounts.js";

/** Refuses what no step runner can do yet before anything has run. @throws {TbuildError} unsupported, at its line */
export function checkSupport(root: Edge | null): void {
  if (root === null) return;
  const errors = topologicalOrder(root).flatMap(unsupported);
  const [first, ...others] = errors;
  if (first !== undefined) throw new TbuildError(first.code, first.message, { at: first.at, hint: first.hint, others });
}

function unsupported(vertex: Vertex): readonly TbuildError[] {
  const { body } = vertex.op;
  const [at] = vertex.at;
  if (body.kind === "diff" || body.kind === "build") {
    return [new TbuildError("unsupported", `Cannot run "${vertex.name}": "${body.kind}" steps are not supported yet`, { at })];
  }
  if (body.kind !== "exec") return [];
  const secret = body.secretEnv.find(({ optional }) => !optional);
  if (secret !== undefined) {
    return [new TbuildError("unsupported", `Cannot use the secret "${secret.id}": --mount=type=secret is not supported yet`, { at })];
  }
  return body.mounts.filter((mount) => mount.dest !== "/" && !canMount(vertex, mount)).map(
    ({ dest, type }) =>
      new TbuildError("unsupported", `Cannot mount "${dest}": this kind of --mount=type=${type.kind} is not supported yet`, {
        at,
        hint: "Supported are read-only bind mounts from a stage or image, tmpfs, and optional secrets, which are left out",
      }),
  );
}

function canMount(vertex: Vertex, mount: ExecMount): boolean {
  if (mount.type.kind === "tmpfs" || isLeftOut(mount)) return true;
  const source = vertex.inputs[mount.input]?.vertex.op.body;
  const isLocal = source?.kind === "source" && source.identifier.startsWith("local://");
  return mount.type.kind === "bind" && mount.readonly && !isLocal;
}

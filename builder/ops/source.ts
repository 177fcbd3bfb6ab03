import { TbuildError } from "../../cache/errors.js";
import type { Ref } from "../../cache/ref.js";
import { digestOf } from "../../cache/oci/digest.js";
import { formatPlatform } from "../../cache/oci/platform.js";
import type { SourceOp } from "../../solver/llb/op.js";
import type { OpRunner, StepOpts } from "../../solver/opRunner.js";
import type { Vertex } from "../../solver/graph.js";
import type { ResolvedSource, Source } from "../source/source.js";
import type { OpDeps } from "./opDeps.js";

/** Brings in bytes from outside through the source that serves the identifier's scheme. */
export function sourceRunner(deps: OpDeps, op: SourceOp): OpRunner<Ref> {
  let resolved: Promise<ResolvedSource> | null = null;
  const resolve = (vertex: Vertex, opts: StepOpts) =>
    (resolved ??= sourceFor(deps.sources, op.identifier).resolve(
      { identifier: op.identifier, attrs: op.attrs, platform: vertex.op.platform },
      opts,
    ));
  return {
    async cacheMap(vertex, opts) {
      const { pin, attributes } = await resolve(vertex, opts);
      const platform = vertex.op.platform === null ? "" : formatPlatform(vertex.op.platform);
      const digest = pin === null ? null : digestOf(`tbuild.source.v1\n${schemeOf(op.identifier)}\n${platform}\n${pin}`);
      return { digest, attributes, inputs: [] };
    },
    async exec(vertex, _inputs, opts) {
      const source = await resolve(vertex, opts);
      const isRead = deps.isRead(vertex);
      const ref = (isRead ? null : await source.declare?.()) ?? (await source.snapshot(opts));
      // An image of the image store may be only declared.
      if (isRead) await deps.bringHere([ref], opts);
      return [ref];
    },
  };
}

function sourceFor(sources: readonly Source[], identifier: string): Source {
  const scheme = schemeOf(identifier);
  const source = sources.find(({ schemes }) => schemes.includes(scheme));
  if (source !== undefined) return source;
  throw new TbuildError("unsupported", `Cannot read "${identifier}": no source for "${scheme}://"`, {
    hint: `Known are ${sources.flatMap(({ schemes }) => schemes).join(", ")}`,
  });
}

function schemeOf(identifier: string): string {
  return identifier.slice(0, Math.max(0, identifier.indexOf("://")));
}

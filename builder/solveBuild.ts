import { TbuildError } from "../cache/errors.js";
import type { Ref } from "../cache/ref.js";
import type { FrontendResult } from "../frontend/mod.js";
import type { Vertex } from "../solver/graph.js";
import { createSolver } from "../solver/solve.js";
import { fileEpoch } from "./epoch.js";
import { opRunner } from "./ops/mod.js";
import { scratchRef, type SnapshotRef } from "./ops/opDeps.js";
import { watched } from "./ops/watched.js";
import type { Run } from "./run.js";
import { createGitSource } from "./source/git.js";
import { type LocalDirectory, localSource } from "./source/local.js";

/** Runs the graph. `onLayer` hears of each layer of the image that was not there before, as soon as it is. */
export async function solveBuild(
  { parts, request, remote, secrets, agents, epoch, logs, report, signal }: Run,
  { definition, image }: FrontendResult,
  locals: ReadonlyMap<string, LocalDirectory>,
  chain: ReadonlySet<Vertex>,
  onLayer: (snapshot: string) => void,
): Promise<SnapshotRef> {
  const sources = [...remote.sources, localSource(locals), createGitSource({ store: parts.store, secrets, agents })];
  const deps = { store: parts.store, executor: parts.executor, sources, secrets, agents, logs, epoch: fileEpoch(request, epoch, image) };
  const inImage = new Set([...chain].map(({ digest }) => digest));
  const begin = (ref: Ref) => void (ref.kind === "snapshot" && ref.name !== null && onLayer(ref.name));
  const solver = createSolver<Ref>({
    runnerFor: (vertex) => (inImage.has(vertex.digest) ? watched(opRunner(deps, vertex), begin) : opRunner(deps, vertex)),
    index: parts.store.index,
    concurrency: parts.concurrency,
  });
  const ref = (await solver.solve(definition, { signal, report })) ?? scratchRef;
  if (ref.kind !== "snapshot") throw new TbuildError("unsupported", "Cannot export a local directory as an image");
  return ref;
}

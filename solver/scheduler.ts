import type { CacheIndex } from "../cache/index.js";
import type { Edge, Vertex } from "./graph.js";
import { type Contents, type Keyed, byContent } from "./identity.js";
import type { Job } from "./job.js";
import { type LookedUp, lookUp } from "./lookUp.js";
import { createMemos } from "./memo.js";
import type { CacheMap, ContentKey, InputKey, OpRunner, StepOpts } from "./opRunner.js";
import { createStalls } from "./stalls.js";
import type { StepRunner } from "./step.js";
import { createTracker } from "./tracker.js";

/** What the scheduler works with. */
export interface SchedulerDeps<R> {
  readonly runnerFor: (vertex: Vertex) => OpRunner<R>;
  readonly index: CacheIndex<R>;
  readonly steps: StepRunner<R>;
  /** See {@link StepRunner}. */
  readonly build: object;
}

/** Works out, on demand and once per vertex, keys and results of one build's vertices. */
export interface Scheduler<R> {
  /** Starts on all keys; inputs come before users, so that no chain of calls is as long as the graph. */
  prepare(vertices: readonly Vertex[]): void;
  resultOf(edge: Edge): Promise<R>;
  /** Resolves when nothing that was started is under way any more. */
  settled(): Promise<void>;
}

/** What is read of an input, and how to know it by content. */
interface Reading<R> {
  readonly reader: Vertex;
  readonly edge: Edge;
  readonly input: InputKey<R>;
}

/** A scheduler of one build. */
export function createScheduler<R>({ runnerFor, index, steps, build }: SchedulerDeps<R>, job: Job): Scheduler<R> {
  const tracker = createTracker<R>(job);
  const memos = createMemos();
  const stalls = createStalls();
  const keyOf = memos.memo((vertex: Vertex) => vertex, identify);
  const outputsOf = memos.memo((vertex: Vertex) => vertex, produce);
  const contentOf = memos.memo(readingId<R>, readContent);

  async function identify(vertex: Vertex): Promise<LookedUp> {
    const map = await tracker.own(vertex, async () => await runnerFor(vertex).cacheMap(vertex, optsOf(vertex)));
    if (map.digest === null) {
      tracker.move(vertex, { type: "unkeyable" });
      return { key: null, fresh: false, storing: null };
    }
    checkInputs(vertex, map);
    stalls.whenAny(vertex, () => readAhead(vertex, map));
    const inputs = await Promise.all(vertex.inputs.map((input) => keyOf(input.vertex)));
    return await lookUp({ vertex, digest: map.digest, map, inputs }, { index, tracker, contentsOf });
  }

  function contentsOf(keyed: Keyed<R>): Promise<Contents> {
    const contents = keyed.vertex.inputs.map(async (edge, i) => {
      const input = keyed.map.inputs[i];
      return input !== undefined && byContent(keyed, i) ? await contentOf({ reader: keyed.vertex, edge, input }) : null;
    });
    return Promise.all(contents);
  }

  /** See {@link Stalls}: what is read by content, and is stored nowhere, will be needed. */
  function readAhead(reader: Vertex, map: CacheMap<R>): void {
    const start = async (edge: Edge, input: InputKey<R>) => {
      await keyOf(edge.vertex);
      if (tracker.mustRun(edge.vertex)) await contentOf({ reader, edge, input });
    };
    for (const [i, edge] of reader.inputs.entries()) {
      const input = map.inputs[i];
      // A failure is remembered, and seen by whoever asks for the same content.
      if (input?.byContent === true) start(edge, input).catch(() => {});
    }
  }

  async function readContent({ reader, edge, input }: Reading<R>): Promise<ContentKey> {
    await keyOf(edge.vertex);
    if (tracker.mustRun(edge.vertex)) stalls.mark(reader);
    const result = await resultOf(edge);
    return await tracker.own(reader, async () => await input.content(result, optsOf(reader)));
  }

  async function produce(vertex: Vertex): Promise<readonly R[]> {
    const { storing } = await keyOf(vertex);
    const state = tracker.stateOf(vertex);
    if (state.phase === "complete") return state.outputs;
    const inputs = await Promise.all(vertex.inputs.map(resultOf));
    const { outputs, cached } = await tracker.own(vertex, async () => {
      tracker.move(vertex, { type: "started" });
      const step = { vertex, runner: runnerFor(vertex), inputs, storing };
      return await steps.run(step, { signal: job.signal, listener: job.reporterOf(vertex) }, build);
    });
    tracker.move(vertex, { type: cached ? "hit" : "done", outputs });
    return outputs;
  }

  async function resultOf({ vertex, index }: Edge): Promise<R> {
    const outputs = await outputsOf(vertex);
    if (index >= outputs.length) throw new Error(`Step "${vertex.name}" gave ${outputs.length} results, not number ${index}`);
    return outputs[index] as R;
  }

  function optsOf(vertex: Vertex): StepOpts {
    return { signal: job.signal, report: job.reporterOf(vertex) };
  }

  return { prepare: (vertices) => vertices.forEach((vertex) => void keyOf(vertex)), resultOf, settled: () => memos.settled() };
}

function readingId<R>({ edge, input }: Reading<R>): string {
  return JSON.stringify([edge.vertex.digest, edge.index, input.selector]);
}

function checkInputs<R>(vertex: Vertex, map: CacheMap<R>): void {
  if (map.inputs.length === vertex.inputs.length) return;
  throw new Error(`Runner of "${vertex.name}" keyed ${map.inputs.length} of ${vertex.inputs.length} inputs`);
}

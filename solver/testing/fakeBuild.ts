import { setImmediate as turn } from "node:timers/promises";
import { TbuildError } from "../../cache/errors.js";
import type { CacheIndex } from "../../cache/index.js";
import { digestOf } from "../../cache/oci/digest.js";
import type { Vertex } from "../graph.js";
import type { SourceOp } from "../llb/op.js";
import { type NodeOpts, type Output, node, output } from "../llb/state.js";
import type { CacheMap, OpRunner, StepOpts } from "../opRunner.js";
import type { Progress } from "../progress.js";

/** What a made-up step does. */
export interface FakeStep {
  readonly name: string;
  /** Result, whatever the inputs; without it the result is made from the name and what is read of the inputs. */
  readonly out?: string;
  /** True: no identity, like a local directory. */
  readonly keyless?: boolean;
  readonly fail?: boolean;
  /** Per input: "content" keys it by content; "head" by the content of its first letter, and reads only that. */
  readonly reads?: readonly ("definition" | "content" | "head")[];
}

/** A made-up step on these inputs. */
export function fake(step: FakeStep, inputs: readonly Output[] = [], opts: NodeOpts = {}): Output {
  return output(node({ kind: "source", identifier: `fake://${step.name}`, attrs: { step: JSON.stringify(step) } }, inputs, opts));
}

/** The step that a vertex or node of {@link fake} was made from. */
export function stepOf(body: unknown): FakeStep {
  return JSON.parse((body as SourceOp).attrs["step"] ?? "") as FakeStep;
}

/** The result of a step. Pure. */
export function resultOf(step: FakeStep, inputs: readonly string[]): string {
  if (step.out !== undefined) return step.out;
  const read = inputs.map((input, i) => (step.reads?.[i] === "head" ? input.slice(0, 1) : input));
  return digestOf(JSON.stringify([step.name, ...read])).slice(-8);
}

/** An index in memory that counts. */
export interface FakeIndex extends CacheIndex<string> {
  readonly records: Map<string, { readonly canonical: string; readonly outputs: readonly string[] }>;
  readonly queried: string[];
}

/** An empty index. */
export function fakeIndex(): FakeIndex {
  const records: FakeIndex["records"] = new Map();
  const queried: string[] = [];
  return {
    records,
    queried,
    async query(key) {
      queried.push(key);
      await turn();
      return records.get(key) ?? null;
    },
    async save(keys, canonical, outputs) {
      await turn();
      for (const key of keys) records.set(key, { canonical, outputs });
    },
  };
}

/** Runner of made-up steps, with counters. */
export interface FakeRunner extends OpRunner<string> {
  /** Names of steps in the order in which they were executed. */
  readonly executed: string[];
  /** Steps that are executing now. */
  running: number;
  /** Called in the middle of each execution. */
  during(step: FakeStep, opts: StepOpts): Promise<void>;
  /** The result of an execution; {@link resultOf} unless replaced. */
  make(step: FakeStep, inputs: readonly string[]): string;
}

/** A runner with counters at zero. */
export function fakeRunner(): FakeRunner {
  const runner: FakeRunner = {
    executed: [],
    running: 0,
    during: async () => {},
    make: resultOf,
    async cacheMap(vertex) {
      await turn();
      return cacheMapOf(vertex);
    },
    async exec(vertex, inputs, opts) {
      const step = stepOf(vertex.op.body);
      runner.executed.push(step.name);
      runner.running++;
      try {
        await runner.during(step, opts);
        if (step.fail === true) throw new TbuildError("process_failed", `Step "${step.name}" failed`);
        opts.report.log(1, Buffer.from(step.name));
        return [runner.make(step, inputs)];
      } finally {
        runner.running--;
      }
    },
  };
  return runner;
}

function cacheMapOf(vertex: Vertex): CacheMap<string> {
  const step = stepOf(vertex.op.body);
  return {
    digest: step.keyless === true ? null : digestOf(JSON.stringify(step)),
    attributes: {},
    inputs: vertex.inputs.map((_, i) => {
      const how = step.reads?.[i] ?? "definition";
      return {
        selector: how === "head" ? "head" : null,
        byContent: how !== "definition",
        content: async (result: string) => ({ digest: digestOf(how === "head" ? result.slice(0, 1) : result) }),
      };
    }),
  };
}

/** Resolves when the signal aborts; then rejects as a killed process does. */
export function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const stop = (): void => reject(new TbuildError("cancelled", "Step killed"));
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  });
}

/** Keeps what a build reports. */
export interface FakeAudience {
  readonly report: (event: Progress) => void;
  readonly events: Progress[];
  /** Type of each event of the step with this name; of a completion also how. */
  readonly of: (name: string) => string[];
}

/** Has heard nothing. */
export function listen(): FakeAudience {
  const events: Progress[] = [];
  return {
    report: (event) => void events.push(event),
    events,
    of(name) {
      const ids = new Set(events.flatMap((e) => (e.type === "vertex" && e.name === `fake://${name}` ? [e.vertex] : [])));
      return events.filter((e) => e.vertex !== null && ids.has(e.vertex)).map(describe);
    },
  };
}

function describe(event: Progress): string {
  if (event.type !== "completed") return event.type;
  return `completed:${event.error ?? (event.cached ? "cached" : "done")}`;
}

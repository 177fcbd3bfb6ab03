import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { hasCode } from "../cache/errors.js";
import { marshal } from "./llb/marshal.js";
import type { Node, Output } from "./llb/state.js";
import type { Progress } from "./progress.js";
import { type Solver, createSolver } from "./solve.js";
import { type FakeRunner, type FakeStep, fake, fakeIndex, fakeRunner } from "./testing/fakeBuild.js";
import { resultOf, stepOf, untilAborted } from "./testing/fakeBuild.js";

type Random = (below: number) => number;

/** A linear congruential generator (Numerical Recipes): the same graphs in every run. */
function random(seed: number): Random {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** A graph of up to 25 steps. Another `variant` of the same seed has the same shape, and some steps differ. */
function randomGraph(seed: number, variant: number): Output {
  const shape = random(seed);
  const change = random(seed * 31 + variant);
  const steps: Output[] = [];
  const count = 2 + shape(24);
  for (let i = 0; i < count; i++) {
    const inputs = Array.from({ length: Math.min(i, shape(4)) }, () => steps[Math.max(0, i - 1 - shape(6))] as Output);
    const version = variant > 0 && change(5) === 0 ? `.${variant}` : "";
    const step: FakeStep = {
      name: `s${i}${version}`,
      ...(shape(3) === 0 ? { out: `out${shape(3)}` } : {}),
      ...(shape(8) === 0 ? { keyless: true } : {}),
      ...(seed % 4 === 3 && change(12) === 0 ? { fail: true } : {}),
      reads: inputs.map(() => (["definition", "content", "head"] as const)[shape(3)] ?? "definition"),
    };
    steps.push(fake(step, inputs, { metadata: { ignoreCache: shape(15) === 0 } }));
  }
  return steps.at(-1) as Output;
}

/** The result of every step, one after the other and with no cache; a failed step has none. */
function naive({ node }: Output, known = new Map<Node, string | null>()): string | null {
  const before = known.get(node);
  if (before !== undefined) return before;
  const inputs = node.inputs.map((input) => naive(input, known));
  const step = stepOf(node.body);
  const failed = step.fail === true || inputs.includes(null);
  const result = failed ? null : resultOf(step, inputs as string[]);
  known.set(node, result);
  return result;
}

async function checkBuild(solver: Solver<string>, runner: FakeRunner, target: Output): Promise<void> {
  const events: Progress[] = [];
  const before = runner.executed.length;
  const solving = solver.solve(marshal(target, []), { signal: new AbortController().signal, report: (e) => void events.push(e), runnerFor: () => runner });
  const expected = naive(target);
  if (expected === null) await assert.rejects(solving, (error) => hasCode(error, "process_failed"));
  else assert.equal(await solving, expected);
  assert.equal(runner.running, 0);
  const executed = runner.executed.slice(before);
  assert.equal(new Set(executed).size, executed.length, `a step ran twice: ${executed.join()}`);
  checkProgress(events, expected !== null);
}

/** Each vertex: announced, then started, then completed, at most once; all completed if the build was. */
function checkProgress(events: readonly Progress[], succeeded: boolean): void {
  const phases = new Map<string, string[]>();
  for (const { type, vertex } of events) {
    if (vertex === null || type === "log") continue;
    const seen = phases.get(vertex);
    if (seen === undefined) phases.set(vertex, [type]);
    else seen.push(type);
  }
  for (const seen of phases.values()) {
    const whole = ["vertex", "started", "completed"];
    assert.deepEqual(seen, succeeded || seen.length > 1 ? whole : whole.slice(0, 1));
  }
}

for (const concurrency of [1, 3, 64]) {
  test(`random graphs give what a naive build gives, with ${concurrency} steps at a time`, async () => {
    for (let seed = 1; seed <= 150; seed++) {
      const runner = fakeRunner();
      const index = fakeIndex();
      const next = random(seed + concurrency);
      runner.during = async (_, { signal }) => {
        for (let i = next(4); i > 0; i--) await turn();
        signal.throwIfAborted();
      };
      const solver = createSolver<string>({ index, concurrency });
      for (const variant of [0, 1, 0, 2, 1]) {
        await checkBuild(solver, runner, randomGraph(seed, variant));
        for (const key of index.records.keys()) if (next(5) === 0) index.records.delete(key);
      }
    }
  });
}

test("random builds at the same time share steps, fail and are cancelled without harm to each other", async () => {
  for (let seed = 1; seed <= 100; seed++) {
    const runner = fakeRunner();
    const next = random(seed);
    runner.during = async (_, { signal }) => {
      for (let i = next(6); i > 0; i--) await Promise.race([turn(), untilAborted(signal)]);
    };
    const solver = createSolver<string>({ index: fakeIndex(), concurrency: 1 + next(8) });
    await Promise.all([0, 1, 0, 2, 1, 0].map((variant) => oneOfMany(solver, runner, randomGraph(seed, variant), next)));
    assert.equal(runner.running, 0);
  }
});

async function oneOfMany(solver: Solver<string>, runner: FakeRunner, target: Output, next: Random): Promise<void> {
  const cancel = new AbortController();
  const cancelAfter = next(3) === 0 ? next(40) : null;
  const solving = solver.solve(marshal(target, []), { signal: cancel.signal, report: () => {}, runnerFor: () => runner });
  solving.catch(() => {});
  for (let i = next(10); i > 0; i--) await turn();
  if (cancelAfter !== null) {
    for (let i = cancelAfter; i > 0; i--) await turn();
    cancel.abort();
  }
  const expected = naive(target);
  try {
    assert.equal(await solving, expected);
  } catch (error) {
    if (hasCode(error, "cancelled")) assert.ok(cancel.signal.aborted);
    else if (hasCode(error, "process_failed")) assert.equal(expected, null);
    else throw error;
  }
}

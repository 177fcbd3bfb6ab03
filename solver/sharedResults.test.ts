import assert from "node:assert/strict";
import { test } from "node:test";
import type { CacheKey } from "./cacheKey.js";
import { marshal } from "./llb/marshal.js";
import type { Output } from "./llb/state.js";
import type { KnownStep, SharedResult, SharedResults } from "./sharedResults.js";
import { createSolver } from "./solve.js";
import { fake, fakeIndex, fakeRunner, listen, stepOf } from "./testing/fakeBuild.js";

const { signal } = new AbortController();
type Known = readonly KnownStep<string>[];

/** A machine with an index of its own. */
function machine() {
  const index = fakeIndex();
  const runner = fakeRunner();
  const solver = createSolver<string>({ index });
  let known: Known = [];
  const onKnown = (steps: Known): void => void (known = steps);
  return {
    index,
    async build(target: Output, shared?: SharedResults<string>): Promise<{ readonly result: string | null; readonly executed: readonly string[]; readonly known: Known }> {
      const before = runner.executed.length;
      const result = await solver.solve(marshal(target, []), { signal, report: listen().report, runnerFor: () => runner, shared, onKnown });
      return { result, executed: runner.executed.slice(before), known };
    },
  };
}

/** What another machine knows, without the results of the steps that `keysOnly` names. */
function sharedBy(known: Known, keysOnly: readonly string[] = []): SharedResults<string> & { readonly asked: Set<string> } {
  const byKey = new Map<string, SharedResult<string>>();
  for (const { vertex, keys, canonical, outputs } of known) {
    const kept = keysOnly.includes(stepOf(vertex.op.body).name) ? null : outputs;
    for (const key of keys) byKey.set(key, { canonical, outputs: kept });
  }
  const asked = new Set<string>();
  return {
    asked,
    query: async (key) => {
      asked.add(key);
      return byKey.get(key) ?? null;
    },
  };
}

const context = (out: string): Output => fake({ name: "context", keyless: true, out });
const copied = (out: string): Output => fake({ name: "copy", reads: ["content"] }, [context(out)]);
const app = (out: string): Output => fake({ name: "last" }, [fake({ name: "take", reads: ["head"] }, [fake({ name: "compile" }, [copied(out)])])]);

test("solve() finds what others have made, and stores it", async () => {
  const first = await machine().build(app("x"));
  const other = machine();
  const shared = sharedBy(first.known);
  const second = await other.build(app("x"), shared);
  assert.deepEqual([second.result, second.executed], [first.result, ["context"]]);
  assert.deepEqual((await other.build(app("x"))).executed, ["context"], "what was found is stored here");
});

test("solve() asks others only for what is not stored here", async () => {
  const own = machine();
  const { known } = await own.build(app("x"));
  const shared = sharedBy(known);
  await own.build(app("x"), shared);
  assert.deepEqual([...shared.asked], []);
});

test("solve() needs no results of steps whose keys are known, while nothing changes", async () => {
  const first = await machine().build(app("x"));
  const keysOnly = sharedBy(first.known, ["copy", "compile", "take"]);
  const second = await machine().build(app("x"), keysOnly);
  assert.deepEqual([second.result, second.executed], [first.result, ["context"]], "take would have to read what compile makes");
  const third = await machine().build(fake({ name: "more" }, [app("x")]), sharedBy(first.known, ["copy", "compile", "take", "last"]));
  assert.deepEqual(third.executed, ["context", "copy", "compile", "take", "last", "more"], "what is needed runs");
});

test("solve() stores nothing under keys that it was only told", async () => {
  const target = fake({ name: "take", reads: ["content"] }, [fake({ name: "compile" })]);
  const first = await machine().build(target);
  const take = first.known.find(({ vertex }) => stepOf(vertex.op.body).name === "take")!;
  const other = machine();
  await other.build(target, sharedBy(first.known, ["take"]));
  assert.deepEqual(take.keys.filter((key) => other.index.records.has(key)), take.keys.filter((key) => key !== take.canonical));
});

test("solve() tells all steps that have an identity with every key that led to them", async () => {
  const { known } = await machine().build(app("x"));
  assert.deepEqual(known.map(({ vertex }) => stepOf(vertex.op.body).name), ["copy", "compile", "take", "last"]);
  for (const { keys, canonical, outputs } of known) assert.ok(keys.includes(canonical) && outputs?.length === 1);
  assert.equal(known[2]?.keys.length, 2, "by definition and by content");
});

test("solve() runs what is to run anew, whatever others have", async () => {
  const target = fake({ name: "fresh" }, [], { metadata: { ignoreCache: true } });
  const { known } = await machine().build(target);
  const shared: SharedResults<string> = { query: async (key: CacheKey) => ({ canonical: key, outputs: ["theirs"] }) };
  const { executed, result } = await machine().build(target, shared);
  assert.deepEqual(executed, ["fresh"]);
  assert.equal(result, known[0]?.outputs?.[0]);
});

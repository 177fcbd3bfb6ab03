import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { type SourceRange, TbuildError, hasCode, isTbuildError } from "../cache/errors.js";
import { vertexOf } from "./errors.js";
import { marshal } from "./llb/marshal.js";
import type { Output } from "./llb/state.js";
import { createSolver } from "./solve.js";
import { fake, fakeIndex, fakeRunner, listen, untilAborted } from "./testing/fakeBuild.js";

const infos = [{ filename: "Dockerfile", data: new Uint8Array(), language: "" }];
const line = (n: number): SourceRange => ({ file: "Dockerfile", start: { line: n, column: 1 }, end: { line: n, column: 1 } });
const never = new AbortController().signal;

function setUp(concurrency = 64) {
  const runner = fakeRunner();
  const index = fakeIndex();
  const solver = createSolver<string>({ index, concurrency });
  const solve = (target: Output | null, signal = never, report = listen().report) =>
    solver.solve(marshal(target, infos), { signal, report, runnerFor: () => runner });
  /** Names executed by one build. */
  const executedBy = async (target: Output): Promise<string[]> => {
    const before = runner.executed.length;
    await solve(target);
    return runner.executed.slice(before).sort();
  };
  return { runner, index, solver, solve, executedBy };
}

test("solve() of the empty definition is null", async () => {
  assert.equal(await setUp().solve(null), null);
});

test("solve() executes each step once and reuses all of them the next time", async () => {
  const { executedBy } = setUp();
  const base = fake({ name: "base" });
  const target = () => fake({ name: "top" }, [fake({ name: "a" }, [base]), fake({ name: "b" }, [base])]);
  assert.deepEqual(await executedBy(target()), ["a", "b", "base", "top"]);
  assert.deepEqual(await executedBy(target()), []);
});

test("solve() leaves what is above a hit alone, and completes it as cached", async () => {
  const { solve, index, runner } = setUp();
  const target = fake({ name: "top" }, [fake({ name: "base" })]);
  await solve(target);
  const [base] = [...index.records.keys()];
  index.records.delete(base as string);
  const { report, of } = listen();
  await solve(target, never, report);
  assert.equal(runner.executed.length, 2);
  assert.deepEqual(of("base"), ["vertex", "started", "completed:cached"]);
  assert.deepEqual(of("top"), ["vertex", "started", "completed:cached"]);
});

test("solve() finds a result by content when the definition has changed, and by definition from then on", async () => {
  const { executedBy, index } = setUp();
  const target = (source: string) => fake({ name: "copy", reads: ["content"] }, [fake({ name: source, out: "same" })]);
  assert.deepEqual(await executedBy(target("v1")), ["copy", "v1"]);
  assert.deepEqual(await executedBy(target("v2")), ["v2"]);
  const before = index.queried.length;
  assert.deepEqual(await executedBy(target("v2")), []);
  assert.equal(index.queried.length - before, 2);
});

test("solve() runs stages side by side that are read one after the other", async () => {
  const { solve, runner } = setUp();
  let most = 0;
  runner.during = async (step) => {
    most = Math.max(most, runner.running);
    // A stage ends only when all four are at work.
    while (step.name.startsWith("stage") && most < 4) await turn();
  };
  let target = fake({ name: "base" });
  for (const name of ["stage1", "stage2", "stage3", "stage4"]) {
    target = fake({ name: `copy from ${name}`, reads: ["definition", "content"] }, [target, fake({ name })]);
  }
  await solve(target);
  assert.equal(most, 4);
});

test("solve() builds users' keys on content, so that an equal result does not rebuild what follows", async () => {
  const { executedBy } = setUp();
  const target = (source: string) =>
    fake({ name: "run" }, [fake({ name: "copy", reads: ["content"] }, [fake({ name: source, out: "same" })])]);
  assert.deepEqual(await executedBy(target("v1")), ["copy", "run", "v1"]);
  assert.deepEqual(await executedBy(target("v2")), ["v2"]);
});

test("solve() knows users of a step without key by content, and never stores the step", async () => {
  const { runner, index, executedBy } = setUp();
  const target = fake({ name: "copy" }, [fake({ name: "context", keyless: true })]);
  assert.deepEqual(await executedBy(target), ["context", "copy"]);
  assert.equal(index.records.size, 1);
  assert.deepEqual(await executedBy(target), ["context"]);
  runner.make = (step) => (step.name === "context" ? "changed" : "copied");
  assert.deepEqual(await executedBy(target), ["context", "copy"]);
});

test("solve() runs a step without cache anew, stores it, and believes no older result of its users", async () => {
  const { runner, executedBy } = setUp();
  let version = 1;
  runner.make = ({ name }, inputs) => (name === "curl" ? `v${version}` : `${name}(${inputs.join()})`);
  const target = (ignoreCache: boolean) =>
    fake({ name: "run" }, [
      fake({ name: "copy", reads: ["content"] }, [fake({ name: "curl" }, [], { metadata: { ignoreCache } })]),
    ]);
  assert.deepEqual(await executedBy(target(false)), ["copy", "curl", "run"]);
  assert.deepEqual(await executedBy(target(true)), ["curl"]);
  version = 2;
  assert.deepEqual(await executedBy(target(true)), ["copy", "curl", "run"]);
  assert.deepEqual(await executedBy(target(false)), []);
});

test("solve() after a build without cache gives the newer result of users that are keyed by definition", async () => {
  const { runner, solve } = setUp();
  let version = 1;
  runner.make = ({ name }, inputs) => (name === "curl" ? `v${version}` : `${name}(${inputs.join()})`);
  const target = (ignoreCache: boolean) => fake({ name: "run" }, [fake({ name: "curl" }, [], { metadata: { ignoreCache } })]);
  assert.equal(await solve(target(false)), "run(v1)");
  version = 2;
  assert.equal(await solve(target(true)), "run(v2)");
  assert.equal(await solve(target(false)), "run(v2)");
});

test("solve() runs an equal step of two builds once, and tells both its log", async () => {
  const { runner, solve } = setUp();
  const gate = deferred();
  runner.during = ({ name }) => (name === "slow" ? gate.promise : Promise.resolve());
  const target = fake({ name: "slow" });
  const [one, two] = [listen(), listen()];
  const first = solve(target, never, one.report);
  await until(() => runner.running === 1);
  const second = solve(target, never, two.report);
  await until(() => two.of("slow").includes("started"));
  gate.resolve();
  assert.deepEqual(await Promise.all([first, second]), [await first, await first]);
  assert.deepEqual(runner.executed, ["slow"]);
  for (const { of } of [one, two]) assert.deepEqual(of("slow"), ["vertex", "started", "log", "completed:done"]);
});

test("solve() cancelled by one of two builds leaves their common step running", async () => {
  const { runner, solve } = setUp();
  const gate = deferred();
  runner.during = (_, { signal }) => Promise.race([gate.promise, untilAborted(signal)]);
  const cancel = new AbortController();
  const first = solve(fake({ name: "slow" }), cancel.signal);
  await until(() => runner.running === 1);
  const { report, of } = listen();
  const second = solve(fake({ name: "slow" }), never, report);
  await until(() => of("slow").includes("started"));
  cancel.abort();
  await assert.rejects(first, (error) => hasCode(error, "cancelled"));
  assert.equal(runner.running, 1);
  gate.resolve();
  assert.equal(typeof (await second), "string");
  assert.deepEqual(runner.executed, ["slow"]);
});

test("solve() cancelled rejects when its steps have ended, and says so of those that had started", async () => {
  const { runner, solve } = setUp();
  runner.during = async (_, { signal }) => {
    await untilAborted(signal).catch(() => {});
    for (let i = 0; i < 20; i++) await turn();
    signal.throwIfAborted();
  };
  const cancel = new AbortController();
  const { report, of, events } = listen();
  const solving = solve(fake({ name: "after" }, [fake({ name: "slow" })]), cancel.signal, report);
  await until(() => runner.running === 1);
  cancel.abort();
  await assert.rejects(solving, (error) => hasCode(error, "cancelled"));
  assert.equal(runner.running, 0);
  assert.deepEqual(of("slow"), ["vertex", "started", "completed:context canceled"]);
  assert.deepEqual(of("after"), ["vertex"]);
  const count = events.length;
  for (let i = 0; i < 5; i++) await turn();
  assert.equal(events.length, count);
});

test("solve() with a signal that has aborted starts nothing", async () => {
  const { runner, solve } = setUp();
  await assert.rejects(solve(fake({ name: "a" }), AbortSignal.abort()), (error) => hasCode(error, "cancelled"));
  assert.deepEqual(runner.executed, []);
});

test("solve() kills the siblings of a failed step and names the step's place", async () => {
  const { runner, solve } = setUp();
  runner.during = ({ name }, { signal }) => (name === "slow" ? untilAborted(signal) : until(() => runner.running === 2));
  const { report, of, events } = listen();
  const bad = fake({ name: "bad", fail: true }, [], { at: [line(7)] });
  const top = fake({ name: "top" }, [fake({ name: "slow" }), bad]);
  const error = await solve(top, never, report).catch((thrown: unknown) => thrown);
  assert.ok(isTbuildError(error));
  assert.equal(error.code, "process_failed");
  assert.deepEqual(error.at, line(7));
  const failed = events.find((event) => event.type === "vertex" && event.name === "fake://bad");
  assert.equal(vertexOf(error), failed?.vertex);
  assert.equal(runner.running, 0);
  assert.deepEqual(of("slow").slice(1), ["started", "completed:context canceled"]);
  assert.deepEqual(of("bad").slice(1), ["started", 'completed:Step "bad" failed']);
});

test("solve() keeps finished results of a build that failed", async () => {
  const { executedBy, solve } = setUp(1);
  await assert.rejects(solve(fake({ name: "bad", fail: true }, [fake({ name: "good" })])));
  assert.deepEqual(await executedBy(fake({ name: "fine" }, [fake({ name: "good" })])), ["fine"]);
});

test("solve() fails when a key cannot be made, with the place of the step", async () => {
  const { runner, solve } = setUp();
  runner.cacheMap = async () => {
    throw new TbuildError("not_found", 'Cannot find image "x"');
  };
  const failed = solve(fake({ name: "image" }, [], { at: [line(1)] }));
  await assert.rejects(failed, (error) => hasCode(error, "not_found") && isTbuildError(error) && error.at?.start.line === 1);
});

test("solve() runs no more steps at a time than its concurrency", async () => {
  const { runner, solve } = setUp(3);
  let most = 0;
  runner.during = async () => {
    most = Math.max(most, runner.running);
    await turn();
  };
  await solve(fake({ name: "top" }, Array.from({ length: 20 }, (_, i) => fake({ name: `s${i}` }))));
  assert.equal(most, 3);
});

test("solve() lets a small build pass a large one that waits for its turn", async () => {
  const { runner, solve } = setUp(1);
  const gate = deferred();
  runner.during = ({ name }) => (name === "s0" ? gate.promise : turn());
  const large = solve(fake({ name: "top" }, Array.from({ length: 20 }, (_, i) => fake({ name: `s${i}` }))), new AbortController().signal);
  await until(() => runner.running === 1);
  const small = solve(fake({ name: "small" }), new AbortController().signal);
  for (let i = 0; i < 20; i++) await turn();
  gate.resolve();
  await Promise.all([small, large]);
  assert.equal(runner.executed.indexOf("small"), 1);
});

test("solve() lets go of a step that still waits for its turn when the build is cancelled", async () => {
  const { runner, solve } = setUp(1);
  const gate = deferred();
  runner.during = ({ name }) => (name === "hog" ? gate.promise : Promise.resolve());
  const hog = solve(fake({ name: "hog" }));
  await until(() => runner.running === 1);
  const cancel = new AbortController();
  const waiting = solve(fake({ name: "waits" }), cancel.signal);
  for (let i = 0; i < 10; i++) await turn();
  cancel.abort();
  await assert.rejects(waiting, (error) => hasCode(error, "cancelled"));
  gate.resolve();
  await hog;
  assert.deepEqual(runner.executed, ["hog"]);
});

test("solve() uses what another process stored while a step waited for its turn", async () => {
  const { runner, solve, index } = setUp(1);
  const gate = deferred();
  runner.during = ({ name }) => (name === "hog" ? gate.promise : Promise.resolve());
  const other = setUp();
  await other.solve(fake({ name: "waits" }));
  const hog = solve(fake({ name: "hog" }));
  await until(() => runner.running === 1);
  const { report, of } = listen();
  const waiting = solve(fake({ name: "waits" }), never, report);
  for (let i = 0; i < 10; i++) await turn();
  other.index.records.forEach((record, key) => index.records.set(key, record));
  gate.resolve();
  await Promise.all([hog, waiting]);
  assert.deepEqual(runner.executed, ["hog"]);
  assert.deepEqual(of("waits"), ["vertex", "started", "completed:cached"]);
});

test("solve() takes a chain of 2,000 steps", async () => {
  const { runner, solve, executedBy } = setUp();
  let last = fake({ name: "0" });
  for (let i = 1; i < 2000; i++) last = fake({ name: String(i), reads: [i % 3 === 0 ? "content" : "definition"] }, [last]);
  await solve(last);
  assert.equal(runner.executed.length, 2000);
  assert.deepEqual(await executedBy(last), []);
});

test("solve() takes 1,000 steps side by side", async () => {
  const { runner, solve } = setUp();
  await solve(fake({ name: "top" }, Array.from({ length: 1000 }, (_, i) => fake({ name: `s${i}` }))));
  assert.equal(runner.executed.length, 1001);
});

test("solve() announces every vertex first, inputs before users", async () => {
  const { solve } = setUp();
  const { report, events } = listen();
  const base = fake({ name: "base" });
  await solve(fake({ name: "top" }, [base, fake({ name: "mid" }, [base])]), never, report);
  const announced = events.slice(0, 3).map((event) => (event.type === "vertex" ? event.name : event.type));
  assert.deepEqual(announced, ["fake://base", "fake://mid", "fake://top"]);
  assert.equal(events.filter(({ type }) => type === "vertex").length, 3);
});

test("solve() takes a build's own runner", async () => {
  const { solver, runner } = setUp();
  const own = fakeRunner();
  await solver.solve(marshal(fake({ name: "a" }), infos), { signal: never, report: () => {}, runnerFor: () => own });
  assert.deepEqual([runner.executed, own.executed], [[], ["a"]]);
});

function deferred(): { readonly promise: Promise<void>; resolve(): void } {
  let resolve = (): void => {};
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve: () => resolve() };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await turn();
}

test("solveAll() executes what several targets need once, and gives the results in their order", async () => {
  const { solver, runner } = setUp();
  const shared = () => fake({ name: "shared" });
  const targets = ["a", "b"].map((name) => fake({ name, out: `result of ${name}` }, [shared()]));
  const results = await solver.solveAll([marshal(targets[0]!, infos), marshal(null, infos), marshal(targets[1]!, infos)], { signal: never, report: () => {}, runnerFor: () => runner });
  assert.deepEqual(results, ["result of a", null, "result of b"]);
  assert.deepEqual([...runner.executed].sort(), ["a", "b", "shared"]);
});

test("solveAll() of targets of which one fails rejects, and ends the others", async () => {
  const { solver, runner } = setUp();
  const definitions = [fake({ name: "good" }), fake({ name: "bad", fail: true })].map((target) => marshal(target, infos));
  await assert.rejects(solver.solveAll(definitions, { signal: never, report: () => {}, runnerFor: () => runner }), isTbuildError);
});

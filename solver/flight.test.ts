import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { type RunOpts, createFlights } from "./flight.js";
import type { FlightListener } from "./replay.js";

function listener(): FlightListener & { readonly heard: string[] } {
  const heard: string[] = [];
  return {
    heard,
    started: () => void heard.push("started"),
    log: (_, bytes) => void heard.push(Buffer.from(bytes).toString()),
    status: (id, current) => void heard.push(`${id} ${current}`),
    statusDone: (id) => void heard.push(`${id} done`),
    warn: ({ message }) => void heard.push(message),
  };
}

/** A run that ends when told to, or some turns after its signal aborts. */
function controlled() {
  const runs: RunOpts[] = [];
  const state: { calls: number; ended: number; finish(value: string): void } = { calls: 0, ended: 0, finish: () => {} };
  const run = async (opts: RunOpts): Promise<string> => {
    state.calls++;
    runs.push(opts);
    const aborted = new Promise<string>((_, reject) => {
      opts.signal.addEventListener("abort", () => void turn().then(() => turn()).then(() => reject(opts.signal.reason)));
    });
    try {
      return await Promise.race([new Promise<string>((resolve) => (state.finish = resolve)), aborted]);
    } finally {
      state.ended++;
    }
  };
  return { run, runs, state };
}

const never = new AbortController().signal;

test("join() runs once for all who wait, and again afterwards", async () => {
  const flights = createFlights<string>();
  const { run, state } = controlled();
  const waiting = [1, 2, 3].map(() => flights.join("k", { signal: never, listener: listener() }, run));
  state.finish("r");
  assert.deepEqual(await Promise.all(waiting), ["r", "r", "r"]);
  assert.equal(state.calls, 1);
  const later = flights.join("k", { signal: never, listener: listener() }, run);
  state.finish("again");
  assert.equal(await later, "again");
  assert.equal(state.calls, 2);
});

test("join() keeps different keys apart", async () => {
  const flights = createFlights<string>();
  const run = (value: string) => flights.join(value, { signal: never, listener: listener() }, async () => value);
  assert.deepEqual(await Promise.all([run("a"), run("b")]), ["a", "b"]);
});

test("join() tells a late waiter what was said before", async () => {
  const flights = createFlights<string>();
  const { run, runs, state } = controlled();
  const [early, late] = [listener(), listener()];
  const first = flights.join("k", { signal: never, listener: early }, run);
  runs[0]?.listener.started();
  runs[0]?.listener.log(1, Buffer.from("one"));
  runs[0]?.listener.status("layer", 1, 9);
  runs[0]?.listener.status("layer", 5, 9);
  const second = flights.join("k", { signal: never, listener: late }, run);
  runs[0]?.listener.log(1, Buffer.from("two"));
  state.finish("r");
  await Promise.all([first, second]);
  assert.deepEqual(early.heard, ["started", "one", "layer 1", "layer 5", "two"]);
  assert.deepEqual(late.heard, ["started", "layer 5", "one", "two"]);
});

test("join() rejects a waiter who leaves at once, and aborts the run only with the last", async () => {
  const flights = createFlights<string>();
  const { run, runs, state } = controlled();
  const [one, two] = [new AbortController(), new AbortController()];
  const heard = listener();
  const first = flights.join("k", { signal: one.signal, listener: heard }, run);
  const second = flights.join("k", { signal: two.signal, listener: listener() }, run);
  one.abort("left");
  await assert.rejects(first, (reason) => reason === "left");
  assert.deepEqual([runs[0]?.signal.aborted, state.ended], [false, 0]);
  runs[0]?.listener.started();
  assert.deepEqual(heard.heard, []);
  two.abort("left too");
  await assert.rejects(second, (reason) => reason === "left too");
  assert.equal(state.ended, 1);
});

test("join() starts anew, but only when a run that everybody has left has ended", async () => {
  const flights = createFlights<string>();
  const { run, state } = controlled();
  const leaver = new AbortController();
  const first = flights.join("k", { signal: leaver.signal, listener: listener() }, run);
  leaver.abort("left");
  const ended: number[] = [];
  const second = flights.join("k", { signal: never, listener: listener() }, (opts) => {
    ended.push(state.ended);
    return run(opts);
  });
  await assert.rejects(first);
  while (state.calls < 2) await turn();
  state.finish("r");
  assert.equal(await second, "r");
  assert.deepEqual(ended, [1]);
});

test("join() gives the failure of a run to all who wait", async () => {
  const flights = createFlights<string>();
  const run = async (): Promise<string> => {
    await turn();
    throw new Error("broken");
  };
  const results = await Promise.allSettled([1, 2].map(() => flights.join("k", { signal: never, listener: listener() }, run)));
  assert.deepEqual(results.map(({ status }) => status), ["rejected", "rejected"]);
});

test("join() with a signal that has aborted does not run", async () => {
  const { run, state } = controlled();
  await assert.rejects(createFlights<string>().join("k", { signal: AbortSignal.abort("no"), listener: listener() }, run));
  assert.equal(state.calls, 0);
});

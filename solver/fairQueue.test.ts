import assert from "node:assert/strict";
import { test } from "node:test";
import { fairQueue } from "./fairQueue.js";

const never = new AbortController().signal;

/** Tasks that end when they are told to, and the order in which they began. */
function tasks() {
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const task = (name: string) => () => new Promise<string>((resolve) => (begun.push(name), ends.set(name, () => resolve(name))));
  const end = async (name: string) => {
    await Promise.resolve();
    ends.get(name)!();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { begun, task, end };
}

test("fairQueue() begins as many as there may be, and one more for each that ends", async () => {
  const { begun, task, end } = tasks();
  const queue = fairQueue({ total: 2 });
  const results = ["a1", "a2", "a3"].map((name) => queue.run(begun, never, task(name)));
  await Promise.resolve();
  assert.deepEqual(begun, ["a1", "a2"]);
  await end("a2");
  assert.deepEqual(begun, ["a1", "a2", "a3"]);
  await end("a1");
  await end("a3");
  assert.deepEqual(await Promise.all(results), ["a1", "a2", "a3"]);
});

test("fairQueue() lets who comes later and has nothing under way go before one who has much", async () => {
  const { begun, task, end } = tasks();
  const queue = fairQueue({ total: 2 });
  const [big, small] = [{}, {}];
  for (const name of ["b1", "b2", "b3", "b4"]) void queue.run(big, never, task(name));
  for (const name of ["s1", "s2"]) void queue.run(small, never, task(name));
  await end("b1");
  assert.deepEqual(begun, ["b1", "b2", "s1"]);
  // Both have one under way, or none: in turn.
  await end("s1");
  assert.deepEqual(begun, ["b1", "b2", "s1", "s2"]);
  await end("b2");
  assert.deepEqual(begun.slice(4), ["b3"]);
});

test("fairQueue() leaves room that one owner may not have", async () => {
  const { begun, task, end } = tasks();
  const queue = fairQueue({ total: 3, perOwner: 1 });
  const [one, other] = [{}, {}];
  for (const name of ["a1", "a2"]) void queue.run(one, never, task(name));
  void queue.run(other, never, task("b1"));
  await Promise.resolve();
  assert.deepEqual(begun, ["a1", "b1"]);
  await end("a1");
  assert.deepEqual(begun, ["a1", "b1", "a2"]);
});

test("fairQueue() forgets who gives up while waiting, and waits for what has begun", async () => {
  const { begun, task, end } = tasks();
  const queue = fairQueue({ total: 1 });
  const abort = new AbortController();
  const first = queue.run({}, abort.signal, task("a"));
  const second = queue.run({}, abort.signal, task("b"));
  const third = queue.run({}, never, task("c"));
  await Promise.resolve();
  abort.abort(new Error("gone"));
  await assert.rejects(second, /gone/);
  await assert.rejects(queue.run({}, abort.signal, task("d")), /gone/);
  assert.deepEqual(begun, ["a"]);
  await end("a");
  assert.equal(await first, "a");
  assert.deepEqual(begun, ["a", "c"]);
  await end("c");
  assert.equal(await third, "c");
});

test("fairQueue() goes on after a task that throws", async () => {
  const queue = fairQueue({ total: 1 });
  await assert.rejects(queue.run({}, never, () => Promise.reject(new Error("no"))), /no/);
  assert.equal(await queue.run({}, never, async () => 1), 1);
});

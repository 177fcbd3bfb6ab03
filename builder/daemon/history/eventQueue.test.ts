import assert from "node:assert/strict";
import { test } from "node:test";
import { eventQueue } from "./eventQueue.js";

const never = new AbortController().signal;

async function all(events: AsyncIterable<number>): Promise<readonly number[]> {
  const list: number[] = [];
  for await (const event of events) list.push(event);
  return list;
}

test("eventQueue() tells each listener what is sent while it listens, read or not", async () => {
  const queue = eventQueue<number>();
  using first = queue.subscribe();
  queue.send(1);
  using second = queue.subscribe();
  const reading = all(first.read(never));
  await new Promise(setImmediate);
  queue.send(2);
  queue.close();
  assert.deepEqual(await reading, [1, 2]);
  assert.deepEqual(await all(second.read(never)), [2]);
});

test("eventQueue() lets a listener go when its signal aborts, also while it waits", async () => {
  const queue = eventQueue<number>();
  using subscription = queue.subscribe();
  const abort = new AbortController();
  const reading = all(subscription.read(abort.signal));
  await new Promise(setImmediate);
  abort.abort();
  assert.deepEqual(await reading, []);
});

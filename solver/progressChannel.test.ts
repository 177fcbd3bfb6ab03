import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { digestOf } from "../cache/oci/digest.js";
import type { Progress } from "./progress.js";
import { progressChannel } from "./progressChannel.js";

const event = (at: number): Progress => ({ type: "started", vertex: digestOf("v"), at });

async function read(events: AsyncIterable<Progress>, most = Infinity): Promise<number[]> {
  const times: number[] = [];
  for await (const e of events) {
    if (e.type === "started") times.push(e.at);
    if (times.length >= most) break;
  }
  return times;
}

test("progressChannel() keeps order across waits, and ends after what was reported before the end", async () => {
  const channel = progressChannel();
  channel.report(event(1));
  const reading = read(channel.events);
  await turn();
  channel.report(event(2));
  await turn();
  channel.report(event(3));
  channel.report(event(4));
  channel.end();
  channel.end();
  channel.report(event(5));
  assert.deepEqual(await reading, [1, 2, 3, 4]);
});

test("progressChannel() that ends empty ends its reader", async () => {
  const channel = progressChannel();
  const reading = read(channel.events);
  await turn();
  channel.end();
  assert.deepEqual(await reading, []);
});

test("progressChannel() forgets events when the reader has left", async () => {
  const channel = progressChannel();
  channel.report(event(1));
  channel.report(event(2));
  assert.deepEqual(await read(channel.events, 1), [1]);
  channel.report(event(3));
  assert.deepEqual(await read(channel.events), []);
});

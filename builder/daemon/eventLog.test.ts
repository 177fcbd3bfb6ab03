import assert from "node:assert/strict";
import { test } from "node:test";
import { type Digest, digestOf } from "../../cache/oci/digest.js";
import type { Progress } from "../../solver/progress.js";
import { type EventLog, eventLog } from "./eventLog.js";

const A = digestOf("a");
const B = digestOf("b");
const signal = new AbortController().signal;
const started: Progress = { type: "started", vertex: A, at: 1 };
const log = (vertex: Digest, text: string): Progress => ({ type: "log", vertex, at: 1, stream: 1, bytes: Buffer.from(text) });

async function all(events: EventLog): Promise<readonly Progress[]> {
  const found: Progress[] = [];
  for await (const batch of events.read(signal)) found.push(...batch);
  return found;
}

test("read() gives each reader all events, and wakes one that waits", async () => {
  const events = eventLog();
  const abort = new AbortController();
  const reader = events.read(abort.signal)[Symbol.asyncIterator]();
  const next = reader.next();
  events.add(started);
  assert.deepEqual((await next).value, [started]);
  const gone = reader.next();
  abort.abort();
  assert.equal((await gone).done, true);
  events.end();
  events.add(started);
  assert.deepEqual(await all(events), [started]);
});

test("eventLog() keeps so many bytes of output, and says whose is gone", async () => {
  const events = eventLog(10);
  for (const event of [started, log(A, "12345"), log(A, "12345"), log(B, "67890"), log(A, "12345"), log(B, "abcde")]) events.add(event);
  events.end();
  const texts = (await all(events)).map((event) => (event.type === "log" ? event.bytes.toString() : event.type));
  assert.deepEqual(texts.map((text) => text.replace(/^\[.*\n$/, "gone")), ["started", "gone", "gone", "12345", "abcde"]);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { throttled } from "./throttle.js";

const fail = (error: unknown) => assert.fail(String(error));

test("throttled() works once for all who ask before it begins, and again for who asks later", async () => {
  let runs = 0;
  const work = throttled(async () => void runs++, { delayMs: 1, everyMs: 1 }, fail);
  work.ask();
  work.ask();
  assert.equal(runs, 0);
  while (runs === 0) await delay(1);
  await delay(5);
  assert.equal(runs, 1);
  work.ask();
  while (runs === 1) await delay(1);
  await work.end();
  assert.equal(runs, 2);
});

test("throttled() leaves a second time to what is due later, and begins nothing after its end", async () => {
  let runs = 0;
  const work = throttled(async () => void runs++, { delayMs: 0, everyMs: 3_600_000 }, fail);
  work.ask();
  while (runs === 0) await delay(1);
  work.ask();
  await delay(20);
  await work.end();
  work.ask();
  await delay(5);
  assert.equal(runs, 1);
});

test("throttled() tells errors, but not that it was stopped, and waits for what runs", async () => {
  const errors: unknown[] = [];
  const failing = throttled(() => Promise.reject(new Error("no")), { delayMs: 0, everyMs: 0 }, (error) => errors.push(error));
  failing.ask();
  while (errors.length === 0) await delay(1);
  let begun = false;
  const stopped = throttled(
    (signal) => ((begun = true), new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("stopped"))))),
    { delayMs: 0, everyMs: 0 },
    (error) => errors.push(error),
  );
  stopped.ask();
  while (!begun) await delay(1);
  await stopped.end();
  assert.deepEqual(errors.map(String), ["Error: no"]);
});

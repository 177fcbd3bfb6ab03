import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { allOrNone } from "./allOrNone.js";

/** Goes on until it is cancelled, and notes when it has ended. */
const endless = (ended: string[]) => async ({ signal }: { readonly signal: AbortSignal }): Promise<never> => {
  await delay(1 << 30, null, { signal }).catch(() => {});
  await delay(1);
  ended.push("cancelled");
  throw new Error("cancelled");
};

test("allOrNone() gives the results in the order of the works", async () => {
  const works = [async () => (await delay(5), "slow"), async () => await Promise.resolve("quick")];
  assert.deepEqual(await allOrNone(works, {}), ["slow", "quick"]);
});

test("allOrNone() cancels the others when one fails, and throws its error when they have ended", async () => {
  const ended: string[] = [];
  const failing = async (): Promise<never> => await Promise.reject(new Error("first"));
  await assert.rejects(allOrNone([endless(ended), failing, endless(ended)], {}), { message: "first" });
  assert.deepEqual(ended, ["cancelled", "cancelled"]);
});

test("allOrNone() passes on that it is cancelled itself", async () => {
  const [ended, abort] = [[] as string[], new AbortController()];
  const running = allOrNone([endless(ended)], { signal: abort.signal });
  abort.abort();
  await assert.rejects(running, { message: "cancelled" });
});

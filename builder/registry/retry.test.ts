import assert from "node:assert/strict";
import { test } from "node:test";
import { TbuildError } from "../../cache/errors.js";
import { retryAfterMs, retrying, withRetries, type Outcome } from "./retry.js";

test("retryAfterMs() reads seconds and dates", () => {
  assert.equal(retryAfterMs("7"), 7000);
  assert.equal(retryAfterMs("Thu, 01 Jan 1970 00:00:10 GMT", 4000), 6000);
  assert.equal(retryAfterMs("soon"), null);
  assert.equal(retryAfterMs(undefined), null);
});

const busy = new TbuildError("unavailable", "Cannot get it: busy");

/** Attempts that end so, and how many of them were made. */
function attempts(...afterMs: readonly (number | null)[]): { readonly attempt: () => Promise<Outcome<number>>; readonly made: () => number } {
  let made = 0;
  const attempt = async (): Promise<Outcome<number>> => {
    const wait = afterMs[made++];
    return wait === undefined ? { kind: "done", value: made } : { kind: "again", error: busy, afterMs: wait };
  };
  return { attempt, made: () => made };
}

test("withRetries() waits as long as it is asked to, and longer each time when it is not", async () => {
  const waits: number[] = [];
  const onRetry = (_: unknown, waitMs: number) => void waits.push(waitMs);
  assert.equal(await withRetries(attempts(7, null, null).attempt, { attempts: 4, onRetry }), 4);
  assert.deepEqual(waits, [7, 500, 1000]);
});

test("withRetries() gives up after the last attempt, and at once when the wait would be too long", async () => {
  const [often, long] = [attempts(0, 0, 0), attempts(5_001)];
  await assert.rejects(withRetries(often.attempt, { attempts: 2 }), busy);
  await assert.rejects(withRetries(long.attempt, { attempts: 2, longestWaitMs: 5_000 }), busy);
  assert.deepEqual([often.made(), long.made()], [2, 1]);
});

test("retrying() says what failed and how long it waits", () => {
  const lines: string[] = [];
  retrying({ report: { log: (_, bytes) => void lines.push(Buffer.from(bytes).toString()) } }).onRetry(busy, 1500);
  assert.deepEqual(lines, ["Cannot get it: busy; trying again in 1.5 s\n"]);
});

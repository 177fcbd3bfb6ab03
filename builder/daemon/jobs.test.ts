import assert from "node:assert/strict";
import { test } from "node:test";
import { hasCode } from "../../cache/errors.js";
import { digestOf } from "../../cache/oci/digest.js";
import { createBridge } from "./bridge.js";
import { createJobs } from "./jobs.js";

const signal = new AbortController().signal;
const started = { type: "started", vertex: digestOf("v"), at: 1 } as const;

test("find() waits for a build that is not there yet, and not for ever", async () => {
  const jobs = createJobs();
  const early = [jobs.find("r", { waitMs: 60_000, signal }), jobs.find("r", { waitMs: 60_000, signal })];
  const job = jobs.start("r", createBridge());
  assert.deepEqual(await Promise.all(early), [job, job]);
  await assert.rejects(jobs.find("other", { waitMs: 5, signal }), (error) => hasCode(error, "not_found"));
  const abort = new AbortController();
  const waiting = jobs.find("other", { waitMs: 60_000, signal: abort.signal });
  abort.abort();
  await assert.rejects(waiting, (error) => hasCode(error, "not_found"));
});

test("end() keeps a build for late readers until many more have ended", async () => {
  const jobs = createJobs();
  const first = jobs.start("first", createBridge());
  first.report(started);
  jobs.end(first);
  first.report(started);
  const late = await jobs.find("first", { waitMs: 0, signal });
  const batches = [];
  for await (const batch of late.log.read(signal)) batches.push(batch);
  assert.deepEqual(batches, [[started]]);
  for (let i = 0; i < 16; i++) jobs.end(jobs.start(`r${i}`, createBridge()));
  await assert.rejects(jobs.find("first", { waitMs: 1, signal }), (error) => hasCode(error, "not_found"));
});

test("start() takes the ref of a build that has ended, not of one that runs", () => {
  const jobs = createJobs();
  const job = jobs.start("r", createBridge());
  assert.throws(() => jobs.start("r", createBridge()), (error) => hasCode(error, "already_exists"));
  jobs.end(job);
  assert.notEqual(jobs.start("r", createBridge()), job);
});

test("close() answers when the last build has ended, and lets none start", async () => {
  const jobs = createJobs();
  const job = jobs.start("r", createBridge());
  let closed = false;
  const closing = jobs.close().then(() => (closed = true));
  assert.throws(() => jobs.start("s", createBridge()), (error) => hasCode(error, "unavailable"));
  await Promise.resolve();
  assert.equal(closed, false);
  jobs.cancelAll("stop");
  assert.equal(job.signal.aborted, true);
  jobs.end(job);
  await closing;
  await createJobs().close();
});

import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { test } from "node:test";
import { hasCode, isTbuildError } from "../errors.js";
import type { TbuildError } from "../errors.js";
import { spawnProcess } from "../sys/process.js";
import { createPool } from "./pool.js";
import type { BulkOpts } from "./flight.js";

const workerUrl = new URL("./testWorker.js", import.meta.url);

/** The pool under test: its jobs are those of testWorker.ts, which the types do not know. */
interface TestPool extends AsyncDisposable {
  run(name: string, input?: unknown, opts?: BulkOpts): Promise<unknown>;
}

const testPool = (workers = 2) => createPool({ workers, workerUrl }) as unknown as TestPool;
const code = (expected: Parameters<typeof hasCode>[1]) => (error: unknown) => hasCode(error, expected);

test("run() returns a job's output, also when jobs outnumber threads", async () => {
  await using pool = testPool();
  const outputs = await Promise.all([1, 2, 3, 4, 5, 6].map((n) => pool.run("echo", { n })));
  assert.deepEqual(outputs, [1, 2, 3, 4, 5, 6].map((n) => ({ n })));
});

test("run() runs jobs at the same time", async () => {
  await using pool = testPool();
  const input = { barrier: new SharedArrayBuffer(4), parties: 2 };
  assert.deepEqual(await Promise.all([pool.run("together", input), pool.run("together", input)]), ["met", "met"]);
});

test("run() keeps the code and hint of a job's error, and its thread goes on", async () => {
  await using pool = testPool(1);
  await assert.rejects(pool.run("fail"), (error) => hasCode(error, "path_escape") && (error as TbuildError).hint === "Stay");
  await assert.rejects(pool.run("bug"), (error) => !isTbuildError(error) && /a bug/.test(String(error)));
  await assert.rejects(pool.run("no-such-job"), /no-such-job/);
  assert.equal(await pool.run("echo", 1), 1);
});

test("run() replaces a thread that died", async () => {
  await using pool = testPool(1);
  const [crashed, next] = await Promise.allSettled([pool.run("crash"), pool.run("echo", "alive")]);
  assert.ok(crashed.status === "rejected" && /status 3 while running "crash"/.test(String(crashed.reason)));
  assert.ok(next.status === "fulfilled" && next.value === "alive");
});

test("run() stops a running job when the signal aborts", async () => {
  await using pool = testPool(1);
  const abort = new AbortController();
  const onProgress = ({ bytes }: { bytes: number }) => void (bytes > 0 && abort.abort());
  const running = pool.run("untilCancelled", null, { signal: abort.signal, onProgress });
  await assert.rejects(running, code("cancelled"));
  assert.equal(await pool.run("echo", 1), 1);
});

test("run() rejects a waiting job at once, and one whose signal was aborted before", async () => {
  await using pool = testPool(1);
  const [first, second] = [new AbortController(), new AbortController()];
  const running = pool.run("untilCancelled", null, { signal: first.signal });
  const waiting = pool.run("echo", 1, { signal: second.signal });
  second.abort();
  await assert.rejects(waiting, code("cancelled"));
  await assert.rejects(pool.run("echo", 1, { signal: second.signal }), code("cancelled"));
  first.abort();
  await assert.rejects(running, code("cancelled"));
});

test("run() hands over chunks in order and counts to the end", async () => {
  await using pool = testPool();
  const seen: number[] = [];
  let last = { bytes: 0, files: 0 };
  await pool.run("emit", { count: 50, size: 1000, log: null }, {
    onChunk: async (chunk) => {
      await delay(0);
      seen.push(chunk[0] ?? -1);
      assert.equal(chunk.length, 1000);
    },
    onProgress: (progress) => (last = progress),
  });
  assert.deepEqual(seen, Array.from({ length: 50 }, (_, i) => i));
  assert.deepEqual(last, { bytes: 50_000, files: 50 });
});

test("run() copies chunks that share their buffer, and drops chunks that nobody takes", async () => {
  await using pool = testPool();
  const sizes: number[] = [];
  await pool.run("emit", { count: 20, size: 0, log: null }, { onChunk: (chunk) => void sizes.push(chunk.buffer.byteLength) });
  assert.deepEqual(new Set(sizes), new Set([1]));
  await pool.run("emit", { count: 20, size: 10, log: null });
});

for (const [size, limit] of [[10, 8], [4 * 1024 * 1024, 2]] as const) {
  test(`a job waits with ${limit} chunks of ${size} bytes outstanding`, async () => {
    await using pool = testPool();
    const log = path.join(fs.mkdtempSync(path.join(os.tmpdir(), "tbuild-pool-")), "log");
    const emitted = () => (fs.existsSync(log) ? Number(fs.readFileSync(log, "utf8")) : 0);
    const gate = new AbortController();
    const open = new Promise((resolve) => gate.signal.addEventListener("abort", resolve));
    const running = pool.run("emit", { count: 20, size, log }, { onChunk: () => open.then(() => {}) });
    while (emitted() < limit) await delay(1);
    await delay(30);
    assert.equal(emitted(), limit);
    gate.abort();
    await running;
    assert.equal(emitted(), 20);
    fs.rmSync(path.dirname(log), { recursive: true });
  });
}

test("a failing onChunk ends the job with its error", async () => {
  await using pool = testPool();
  const failing = pool.run("emit", { count: 100_000, size: 10, log: null }, {
    onChunk: () => {
      throw new Error("disk full");
    },
  });
  await assert.rejects(failing, /disk full/);
});

test("a job that waits for a stuck onChunk can be cancelled", async () => {
  await using pool = testPool();
  const abort = new AbortController();
  const stuck = () => new Promise<void>(() => setTimeout(() => abort.abort(), 5));
  const job = pool.run("emit", { count: 20, size: 10, log: null }, { onChunk: stuck, signal: abort.signal });
  await assert.rejects(job, code("cancelled"));
});

test("disposing cancels running and waiting jobs, and later ones", async () => {
  const pool = testPool(1);
  const jobs = [pool.run("untilCancelled"), pool.run("echo", 1)].map((job) => assert.rejects(job, code("cancelled")));
  await delay(20);
  await pool[Symbol.asyncDispose]();
  await Promise.all(jobs);
  await assert.rejects(pool.run("echo", 1), code("cancelled"));
});

test("idle threads do not keep the process alive", async () => {
  const script = `import { createPool } from ${JSON.stringify(new URL("./pool.js", import.meta.url).href)};
    const pool = createPool({ workerUrl: new URL(${JSON.stringify(workerUrl.href)}) });
    console.log(await pool.run("echo", "ran"));`;
  const child = spawnProcess({ argv: [process.execPath, "--input-type=module", "-e", script], env: [], stdout: "pipe" });
  const chunks: Buffer[] = [];
  child.stdout?.on("data", (chunk: Buffer) => chunks.push(chunk));
  assert.deepEqual(await child.exited, { exitCode: 0, signal: null });
  assert.equal(Buffer.concat(chunks).toString(), "ran\n");
});

test("disposing while a thread loads its modules lets the process end well", async () => {
  const script = `import { createPool } from ${JSON.stringify(new URL("./pool.js", import.meta.url).href)};
    for (const ms of [1, 5, 10, 20, 30, 40]) {
      const pool = createPool();
      pool.warm();
      await new Promise((resolve) => setTimeout(resolve, ms));
      await pool[Symbol.asyncDispose]();
    }`;
  const child = spawnProcess({ argv: [process.execPath, "--input-type=module", "-e", script], env: [] });
  assert.deepEqual(await child.exited, { exitCode: 0, signal: null });
});

test("the pool's own worker script loads its jobs", async () => {
  await using pool = createPool();
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "tbuild-pool-"));
  fs.mkdirSync(path.join(dir, "from/sub"), { recursive: true });
  fs.mkdirSync(path.join(dir, "to"));
  await pool.run("copyTree", { from: path.join(dir, "from"), to: path.join(dir, "to") });
  assert.deepEqual(fs.readdirSync(path.join(dir, "to")), ["sub"]);
  fs.rmSync(dir, { recursive: true });
});

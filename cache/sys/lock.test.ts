import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import { tryLock } from "./lock.js";
import { spawnProcess } from "./process.js";

const dir = fs.mkdtempSync(path.join(os.tmpdir(), "tbuild-lock-"));
test.after(() => fs.rmSync(dir, { recursive: true }));

test("tryLock() gives a lock to one holder at a time", () => {
  const file = path.join(dir, "one");
  const lock = tryLock(file);
  assert.ok(lock);
  assert.equal(tryLock(file), null);
  lock[Symbol.dispose]();
  lock[Symbol.dispose]();
  using again = tryLock(file);
  assert.ok(again);
});

test("tryLock() locks a directory, and leaves nothing in it", () => {
  const own = path.join(dir, "directory");
  fs.mkdirSync(own);
  using lock = tryLock(own, "exclusive", "directory");
  assert.ok(lock);
  assert.equal(tryLock(own, "exclusive", "directory"), null);
  assert.deepEqual(fs.readdirSync(own), []);
});

test("tryLock() frees the lock of a killed process", async () => {
  const file = path.join(dir, "killed");
  // One process, so that nothing else holds the descriptor once it is dead.
  const argv = ["sh", "-c", 'exec 9>"$1"; flock 9; echo held; exec sleep 60', "sh", file];
  const holder = spawnProcess({ argv, env: ["PATH=/usr/bin:/bin"], stdout: "pipe" });
  assert.ok(holder.stdout);
  await new Promise((resolve) => holder.stdout?.once("data", resolve));
  assert.equal(tryLock(file), null);
  holder.kill("SIGKILL");
  await holder.exited;
  holder.stdout.resume();
  using lock = tryLock(file);
  assert.ok(lock);
});

import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { setTimeout } from "node:timers/promises";
import { test } from "node:test";
import { controlService } from "../../builder/api/control.js";
import { tempDir } from "../../cache/testing/tempDir.js";
import { grpcClient } from "../../fixtures/grpcClient.js";
import { startTbuild } from "../../fixtures/tbuildProcess.js";

async function untilListening(socket: string): Promise<void> {
  for (let tries = 0; tries < 600 && !existsSync(socket); tries++) await setTimeout(50);
  assert.ok(existsSync(socket), "the daemon listens");
}

test("tbuild daemon serves clients until SIGTERM, and leaves neither socket nor mounts behind", async () => {
  await using dir = await tempDir();
  const socket = path.join(dir.path, "run/d.sock");
  const store = path.join(dir.path, "store");
  const words = ["daemon", "--root", store, "--addr", `unix://${socket}`, "--oci-worker-labels", "a=b", "--group", "0"];
  const ids: string[] = [];
  for (let run = 0; run < 2; run++) {
    const daemon = startTbuild(words);
    await untilListening(socket);
    using client = grpcClient(`unix://${socket}`);
    const { record } = await client.unary(controlService, "ListWorkers", {});
    assert.equal(record[0]?.labels["a"], "b");
    assert.equal(record[0]?.labels["org.mobyproject.buildkit.worker.executor"], "oci");
    assert.equal(statSync(socket).mode & 0o777, 0o660);
    ids.push(record[0]!.id);
    daemon.kill("SIGTERM");
    const { status, stderr } = await daemon.ended;
    assert.equal(status, 0, stderr);
    assert.match(stderr, /Listening on unix:\/\/.*\nEnding at SIGTERM/);
    assert.equal(existsSync(socket), false);
  }
  assert.equal(ids[0], ids[1], "a store is the same worker for ever");
  assert.deepEqual(readdirSync(path.join(store, "mounts")), []);
  assert.doesNotMatch(readFileSync("/proc/self/mountinfo", "utf8"), new RegExp(dir.path));
});

test("tbuild daemon refuses a socket that another daemon has", async () => {
  await using dir = await tempDir();
  const socket = path.join(dir.path, "d.sock");
  const words = ["daemon", "--root", path.join(dir.path, "store"), "--addr", `unix://${socket}`];
  const first = startTbuild(words);
  await untilListening(socket);
  const second = await startTbuild(words).ended;
  assert.equal(second.status, 1);
  assert.match(second.stderr, /another process does/);
  first.kill("SIGTERM");
  await first.ended;
});

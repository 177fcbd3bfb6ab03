import assert from "node:assert/strict";
import { appendFileSync, existsSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { acquireLease } from "./lease.js";
import { openPins, withPins } from "./pins.js";
import { tempDir } from "./testing/tempDir.js";

const read = (root: string) => withPins(root, async (pinned) => [...pinned].sort());

test("withPins() shows the pins of all open leases", async () => {
  await using dir = await tempDir();
  await using one = await acquireLease(dir.path);
  await using two = await acquireLease(dir.path);
  await using first = openPins(dir.path, one.id);
  {
    await using second = openPins(dir.path, two.id);
    await first.pin(["snapshot:a\nb", "blob:x"]);
    await first.pin(["blob:x"]);
    await second.pin(["snapshot:c"]);
    assert.deepEqual(await read(dir.path), ["blob:x", "snapshot:a\nb", "snapshot:c"]);
  }
  assert.deepEqual(await read(dir.path), ["blob:x", "snapshot:a\nb"]);
});

test("pins of one turn are all kept when each pin() has resolved, and when the store is closed at once", async () => {
  await using dir = await tempDir();
  await using lease = await acquireLease(dir.path);
  const pins = openPins(dir.path, lease.id);
  const names = Array.from({ length: 50 }, (_, index) => `snapshot:${index}` as const);
  await Promise.all(names.map((name) => pins.pin([name, "blob:x"])));
  assert.deepEqual(await read(dir.path), ["blob:x", ...names].sort());
  const late = pins.pin(["snapshot:late"]);
  await pins[Symbol.asyncDispose]();
  await late;
});

test("pin() waits until withPins() has finished", async () => {
  await using dir = await tempDir();
  await using lease = await acquireLease(dir.path);
  await using pins = openPins(dir.path, lease.id);
  const order: string[] = [];
  let pinning: Promise<unknown> = Promise.resolve();
  await withPins(dir.path, async () => {
    pinning = pins.pin(["snapshot:a"]).then(() => order.push("pinned"));
    await new Promise((resolve) => setImmediate(resolve));
    order.push("pruned");
  });
  await pinning;
  assert.deepEqual(order, ["pruned", "pinned"]);
});

test("withPins() passes over a pin that a killed process had half written", async () => {
  await using dir = await tempDir();
  await using lease = await acquireLease(dir.path);
  await using pins = openPins(dir.path, lease.id);
  await pins.pin(["snapshot:a"]);
  appendFileSync(path.join(dir.path, "leases", `${lease.id}.pins`), '"snapsh');
  assert.deepEqual(await read(dir.path), ["snapshot:a"]);
});

test("acquireLease() gives each caller its own scratch directory and removes it", async () => {
  await using dir = await tempDir();
  const lease = await acquireLease(dir.path);
  await using other = await acquireLease(dir.path);
  assert.notEqual(lease.scratch, other.scratch);
  await lease[Symbol.asyncDispose]();
  assert.equal(existsSync(lease.scratch), false);
  assert.equal(existsSync(other.scratch), true);
});

test("clear() lets go of what was pinned, and keeps what is pinned after it", async () => {
  await using dir = await tempDir();
  await using lease = await acquireLease(dir.path);
  await using pins = openPins(dir.path, lease.id);
  pins.clear();
  await pins.pin(["snapshot:a", "snapshot:b"]);
  pins.clear();
  await pins.pin(["snapshot:b"]);
  assert.deepEqual(await read(dir.path), ["snapshot:b"]);
});

test("clearBefore() lets go of what was not pinned again since", async () => {
  await using dir = await tempDir();
  await using lease = await acquireLease(dir.path);
  await using pins = openPins(dir.path, lease.id);
  await pins.clearBefore(Date.now());
  await pins.pin(["snapshot:old", "snapshot:again"]);
  await new Promise((resolve) => setTimeout(resolve, 5));
  const moment = Date.now();
  await pins.pin(["snapshot:again"]);
  await pins.pin(["snapshot:new"]);
  await pins.clearBefore(moment);
  assert.deepEqual(await read(dir.path), ["snapshot:again", "snapshot:new"]);
  await pins.pin(["snapshot:old"]);
  assert.deepEqual(await read(dir.path), ["snapshot:again", "snapshot:new", "snapshot:old"]);
});

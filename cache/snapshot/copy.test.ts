import assert from "node:assert/strict";
import fs from "node:fs";
import { test } from "node:test";
import { copySnapshotter } from "./copy.js";
import { layer, snapshotterFixture, snapshotterSuite } from "./snapshotterSuite.js";

snapshotterSuite("copy", copySnapshotter);

test("copySnapshotter() tells changes as two trees", async () => {
  using fixture = snapshotterFixture();
  const snapshots = copySnapshotter(fixture.options);
  await layer(snapshots, "base", null, (root) => fs.writeFileSync(`${root}/a`, ""));
  await layer(snapshots, "child", "base");
  const changes = await snapshots.changes("child");
  assert.ok(changes.kind === "trees" && changes.lower !== null);
  assert.ok(fs.existsSync(`${changes.lower}/a`) && fs.existsSync(`${changes.upper}/a`));
});

test("copySnapshotter() leaves nothing when copying the parent fails", async () => {
  using fixture = snapshotterFixture();
  const copyTree = async () => {
    throw new Error("disk on fire");
  };
  const snapshots = copySnapshotter({ ...fixture.options, copyTree });
  await layer(snapshots, "base", null);
  await assert.rejects(snapshots.prepare("child", "base"), /disk on fire/);
  assert.equal(fs.readdirSync(fixture.options.root).length, 1);
  await assert.rejects(snapshots.stat("child"));
});

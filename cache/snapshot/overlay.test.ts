import assert from "node:assert/strict";
import fs from "node:fs";
import { test } from "node:test";
import { hasCode } from "../errors.js";
import { mountTree } from "./mountTree.js";
import { overlayMounts, overlaySnapshotter } from "./overlay.js";
import { layer, rootNames, snapshotterFixture, snapshotterSuite } from "./snapshotterSuite.js";

const root = process.getuid?.() === 0 ? {} : { skip: "needs root" };

snapshotterSuite("overlay", overlaySnapshotter);

test("overlayMounts() binds single directories and overlays the rest, topmost first", () => {
  const table = [
    [[], "new", { type: "bind", source: "/s/new/fs", readonly: false }],
    [["a"], null, { type: "bind", source: "/s/a/fs", readonly: true }],
    [["b", "a"], null, { type: "overlay", lower: ["/s/b/fs", "/s/a/fs"] }],
    [["a"], "new", { type: "overlay", lower: ["/s/a/fs"], upper: "/s/new/fs", work: "/s/new/work" }],
  ] as const;
  for (const [chain, active, mount] of table) assert.deepEqual(overlayMounts("/s", chain, active), mount);
});

test("overlaySnapshotter() keeps a committed snapshot's changes as a plain upper, without a work directory", root, async () => {
  using fixture = snapshotterFixture();
  const snapshots = overlaySnapshotter(fixture.options);
  await layer(snapshots, "base", null, (at) => fs.writeFileSync(`${at}/gone`, ""));
  await layer(snapshots, "child", "base", (at) => fs.rmSync(`${at}/gone`));
  const changes = await snapshots.changes("child");
  assert.equal(changes.kind, "upper");
  assert.ok(changes.kind === "upper" && fs.lstatSync(`${changes.path}/gone`).isCharacterDevice());
  assert.ok(changes.kind === "upper" && !fs.existsSync(`${changes.path}/../work`));
});

test("overlaySnapshotter() bases snapshots on a merged copy of a long chain", root, async () => {
  using fixture = snapshotterFixture();
  const snapshots = overlaySnapshotter({ ...fixture.options, maxLayers: 3 });
  for (let i = 0; i < 10; i++) {
    await layer(snapshots, `l${i}`, i === 0 ? null : `l${i - 1}`, (at) => {
      fs.writeFileSync(`${at}/f${i}`, "");
      if (i > 0) fs.rmSync(`${at}/f${i - 1}`);
    });
  }
  assert.deepEqual(await rootNames(snapshots, "l9"), ["f9"]);
  const mount = await snapshots.view("l9");
  assert.ok(mount.type === "bind" || mount.lower.length <= 3);
  const names: string[] = [];
  for await (const { name, kind } of snapshots.walk()) names.push(`${name} ${kind}`);
  assert.deepEqual(names, Array.from({ length: 10 }, (_, i) => `l${i} committed`));
  for (let i = 9; i >= 0; i--) await snapshots.remove(`l${i}`);
  assert.deepEqual(fs.readdirSync(fixture.options.root), []);
});

test("overlaySnapshotter() merges a long chain once, also for two at a time", root, async () => {
  using fixture = snapshotterFixture();
  const snapshots = overlaySnapshotter({ ...fixture.options, maxLayers: 2 });
  await layer(snapshots, "a", null, (at) => fs.writeFileSync(`${at}/a`, ""));
  await layer(snapshots, "b", "a", (at) => fs.writeFileSync(`${at}/b`, ""));
  const mounts = await Promise.all([snapshots.prepare("x", "b"), snapshots.prepare("y", "b")]);
  for (const mount of mounts) {
    await using tree = await mountTree(mount);
    assert.deepEqual(fs.readdirSync(tree.path).sort(), ["a", "b"]);
  }
  assert.equal(fs.readdirSync(fixture.options.root).length, 5);
});

test("stack() puts what was made on nothing over a parent, whose root attributes it can take", root, async () => {
  using fixture = snapshotterFixture();
  const snapshots = overlaySnapshotter(fixture.options);
  await layer(snapshots, "base", null, (root) => {
    fs.writeFileSync(`${root}/a`, "");
    fs.chmodSync(root, 0o711);
  });
  for (const attributes of ["own", "inherited"] as const) {
    const alone = await snapshots.prepare("alone", null);
    assert.equal(alone.type, "bind");
    fs.writeFileSync(`${alone.type === "bind" ? alone.source : ""}/b`, "");
    const mount = await snapshots.stack!("alone", "base", attributes);
    {
      await using tree = await mountTree(mount);
      fs.rmSync(`${tree.path}/a`);
    }
    await snapshots.commit(attributes, "alone");
    assert.deepEqual(await rootNames(snapshots, attributes), ["b"]);
    await using tree = await mountTree(await snapshots.view(attributes));
    assert.equal(fs.statSync(tree.path).mode & 0o7777, attributes === "own" ? 0o755 : 0o711);
    assert.equal((await snapshots.stat(attributes)).parent, "base");
  }
});

test("stack() says not_found for a parent that is not committed, and for a snapshot that has one", root, async () => {
  using fixture = snapshotterFixture();
  const snapshots = overlaySnapshotter(fixture.options);
  const notFound = (error: unknown) => hasCode(error, "not_found");
  await layer(snapshots, "base", null);
  await snapshots.prepare("alone", null);
  await assert.rejects(snapshots.stack!("alone", "absent", "own"), notFound);
  await assert.rejects(snapshots.stack!("absent", "base", "own"), notFound);
  await snapshots.stack!("alone", "base", "own");
  await assert.rejects(snapshots.stack!("alone", "base", "own"), notFound);
});

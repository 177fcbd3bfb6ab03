import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { describe, test } from "node:test";
import { hasCode } from "../errors.js";
import type { ErrorCode } from "../errors.js";
import type { SnapshotterOptions } from "./directories.js";
import { sweepSnapshots } from "./directories.js";
import { memoryMeta } from "./memoryMeta.js";
import { mountTree } from "./mountTree.js";
import type { Mount, Snapshotter } from "./snapshotter.js";

/** What a test works with: a new, empty root. */
export interface SnapshotterFixture extends Disposable {
  readonly options: SnapshotterOptions;
}

/** A temporary root with metadata in memory; removed on disposal. */
export function snapshotterFixture(lease = "lease-1"): SnapshotterFixture {
  const root = path.join(fs.mkdtempSync(path.join(os.tmpdir(), "tbuild-snap-")), "snapshots");
  const removeTree = async (at: string) => fs.rmSync(at, { recursive: true, force: true });
  return {
    options: { root, meta: memoryMeta(), lease, removeTree },
    [Symbol.dispose]: () => fs.rmSync(path.dirname(root), { recursive: true }),
  };
}

/** Prepares on `parent`, changes the mounted tree and commits. */
export async function layer(
  snapshots: Snapshotter,
  name: string,
  parent: string | null,
  change: (root: string) => void = () => {},
): Promise<void> {
  await changed(await snapshots.prepare(`${name}-key`, parent), change);
  await snapshots.commit(name, `${name}-key`);
}

async function changed(mount: Mount, change: (root: string) => void): Promise<void> {
  await using tree = await mountTree(mount);
  change(tree.path);
}

/** Sorted names in the root of a committed snapshot. */
export async function rootNames(snapshots: Snapshotter, name: string): Promise<readonly string[]> {
  await using tree = await mountTree(await snapshots.view(name));
  return fs.readdirSync(tree.path).sort();
}

const code = (expected: ErrorCode) => (error: unknown) => hasCode(error, expected);

/** The contract of a {@link Snapshotter}; every implementation passes it. */
export function snapshotterSuite(name: string, factory: (options: SnapshotterOptions) => Snapshotter): void {
  const skip = process.getuid?.() === 0 ? {} : { skip: "needs root" };
  const check = (title: string, body: (snapshots: Snapshotter, fixture: SnapshotterFixture) => Promise<void>) =>
    test(`${name}: ${title}`, skip, async () => {
      using fixture = snapshotterFixture();
      await body(factory(fixture.options), fixture);
    });

  describe(`${name} snapshotter`, () => {
    transactions(check);
    trees(check);
    removal(check);
    sharing(check, factory);
  });
}

type Check = (title: string, body: (snapshots: Snapshotter, fixture: SnapshotterFixture) => Promise<void>) => void;

function transactions(check: Check): void {
  check("prepare() and commit() make a snapshot that can be a parent", async (snapshots) => {
    await layer(snapshots, "base", null, (root) => fs.writeFileSync(`${root}/a`, "1"));
    await layer(snapshots, "child", "base", (root) => fs.writeFileSync(`${root}/b`, "2"));
    assert.deepEqual(await rootNames(snapshots, "child"), ["a", "b"]);
    assert.deepEqual(await rootNames(snapshots, "base"), ["a"]);
  });

  check("prepare() starts with an empty root of mode 0755", async (snapshots) => {
    await layer(snapshots, "base", null, (root) => {
      assert.equal(fs.statSync(root).mode & 0o7777, 0o755);
      assert.deepEqual(fs.readdirSync(root), []);
    });
  });

  check("prepare() says already_exists for what is there, not_found for a parent that is not committed", async (snapshots) => {
    await layer(snapshots, "base", null);
    await snapshots.prepare("active", null);
    await assert.rejects(snapshots.prepare("active", null), code("already_exists"));
    await assert.rejects(snapshots.prepare("base", null), code("already_exists"));
    await assert.rejects(snapshots.prepare("x", "absent"), code("not_found"));
    await assert.rejects(snapshots.prepare("x", "active"), code("not_found"));
    await snapshots.prepare("x", "base");
  });

  check("commit() says already_exists for a committed name and leaves the active snapshot", async (snapshots) => {
    await layer(snapshots, "base", null);
    await snapshots.prepare("again", null);
    await assert.rejects(snapshots.commit("base", "again"), code("already_exists"));
    assert.equal((await snapshots.stat("again")).kind, "active");
  });

  check("commit(), view(), stat() and changes() say not_found", async (snapshots) => {
    await assert.rejects(snapshots.commit("name", "absent"), code("not_found"));
    await assert.rejects(snapshots.view("absent"), code("not_found"));
    await assert.rejects(snapshots.stat("absent"), code("not_found"));
    await assert.rejects(snapshots.changes("absent"), code("not_found"));
    await snapshots.prepare("active", null);
    await assert.rejects(snapshots.view("active"), code("not_found"));
  });

  check("stat() and walk() tell kind and parent", async (snapshots) => {
    await layer(snapshots, "base", null);
    await snapshots.prepare("active", "base");
    const seen: string[] = [];
    for await (const info of snapshots.walk()) seen.push(`${info.name} ${info.kind} ${info.parent}`);
    assert.deepEqual(seen.sort(), ["active active base", "base committed null"]);
    const { kind, parent, size } = await snapshots.stat("active");
    assert.deepEqual([kind, parent, size], ["active", "base", null]);
  });
}

function trees(check: Check): void {
  check("a file deleted in a child is gone there and stays in the parent", async (snapshots) => {
    await layer(snapshots, "base", null, (root) => {
      fs.mkdirSync(`${root}/dir`);
      fs.writeFileSync(`${root}/dir/file`, "");
      fs.writeFileSync(`${root}/kept`, "");
    });
    await layer(snapshots, "child", "base", (root) => fs.rmSync(`${root}/dir`, { recursive: true }));
    await layer(snapshots, "grandchild", "child", (root) => fs.mkdirSync(`${root}/dir`));
    assert.deepEqual(await rootNames(snapshots, "child"), ["kept"]);
    await using tree = await mountTree(await snapshots.view("grandchild"));
    assert.deepEqual(fs.readdirSync(`${tree.path}/dir`), []);
    assert.deepEqual(await rootNames(snapshots, "base"), ["dir", "kept"]);
  });

  check("a child's root has the mode and owner of its parent's", async (snapshots) => {
    await layer(snapshots, "base", null, (root) => {
      fs.chownSync(root, 12, 34);
      fs.chmodSync(root, 0o1777);
    });
    await layer(snapshots, "child", "base");
    await using tree = await mountTree(await snapshots.view("child"));
    const { uid, gid, mode } = fs.statSync(tree.path);
    assert.deepEqual([uid, gid, mode & 0o7777], [12, 34, 0o1777]);
  });

  check("a chain of 130 layers shows every layer's file", async (snapshots) => {
    for (let i = 0; i < 130; i++) {
      await layer(snapshots, `layer-${i}`, i === 0 ? null : `layer-${i - 1}`, (root) => fs.writeFileSync(`${root}/f${i}`, ""));
    }
    assert.equal((await rootNames(snapshots, "layer-129")).length, 130);
  });

  check("nothing is left in the mount table", async (snapshots, { options }) => {
    await layer(snapshots, "base", null);
    await layer(snapshots, "middle", "base");
    await layer(snapshots, "child", "middle", (root) => fs.writeFileSync(`${root}/x`, ""));
    await rootNames(snapshots, "child");
    assert.ok(!fs.readFileSync("/proc/self/mountinfo", "utf8").includes(options.root));
  });
}

function removal(check: Check): void {
  check("remove() refuses a parent, then takes child and parent, and is content with nothing", async (snapshots, { options }) => {
    await layer(snapshots, "base", null);
    await snapshots.prepare("active", "base");
    await assert.rejects(snapshots.remove("base"), code("unavailable"));
    await snapshots.remove("active");
    await snapshots.remove("base");
    await snapshots.remove("base");
    assert.deepEqual(fs.readdirSync(options.root), []);
  });

  check("sweepSnapshots() deletes what no record names, and nothing else", async (snapshots, { options }) => {
    await layer(snapshots, "base", null, (root) => fs.writeFileSync(`${root}/a`, ""));
    fs.mkdirSync(`${options.root}/0123456789/fs`, { recursive: true });
    fs.mkdirSync(`${options.root}/.trash-9876543210/fs`, { recursive: true });
    await sweepSnapshots(options);
    assert.equal(fs.readdirSync(options.root).length, 1);
    assert.deepEqual(await rootNames(snapshots, "base"), ["a"]);
  });
}

function sharing(check: Check, factory: (options: SnapshotterOptions) => Snapshotter): void {
  check("two snapshotters over one root see each other's snapshots", async (snapshots, { options }) => {
    const other = factory({ ...options, lease: "lease-2" });
    await layer(snapshots, "base", null, (root) => fs.writeFileSync(`${root}/a`, ""));
    await layer(other, "child", "base", (root) => fs.writeFileSync(`${root}/b`, ""));
    assert.deepEqual(await rootNames(snapshots, "child"), ["a", "b"]);
    await assert.rejects(layer(snapshots, "child", "base"), code("already_exists"));
  });

  check("an active snapshot of a dead lease can be removed and its key used again", async (snapshots, { options }) => {
    await changed(await snapshots.prepare("step", null), (root) => fs.writeFileSync(`${root}/half`, ""));
    const next = factory({ ...options, lease: "lease-2" });
    await next.remove("step");
    await layer(next, "done", null);
    assert.deepEqual(await rootNames(next, "done"), []);
    await assert.rejects(snapshots.commit("late", "step"), code("not_found"));
  });

  check("a declared snapshot has no files until it is committed, and stays what it was when it has some", async (snapshots) => {
    await snapshots.declare("base", null);
    await snapshots.declare("top", "base");
    await snapshots.declare("top", "base");
    await assert.rejects(snapshots.declare("other", "absent"), code("not_found"));
    const { here, kind, parent, size } = await snapshots.stat("top");
    assert.deepEqual([here, kind, parent, size], [false, "committed", "base", 0]);
    await layer(snapshots, "base", null, (root) => fs.writeFileSync(`${root}/a`, ""));
    await layer(snapshots, "top", "base", (root) => fs.writeFileSync(`${root}/b`, ""));
    await snapshots.declare("top", "base");
    assert.equal((await snapshots.stat("top")).here, true);
    assert.deepEqual(await rootNames(snapshots, "top"), ["a", "b"]);
    await assert.rejects(layer(snapshots, "top", "base"), code("already_exists"));
    await snapshots.remove("top");
    await assert.rejects(snapshots.stat("top"), code("not_found"));
  });
}

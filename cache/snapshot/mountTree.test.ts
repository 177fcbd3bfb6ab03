import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import { hasCode } from "../errors.js";
import { makeDevice, mknod, openInRoot } from "../sys/node.js";
import { spawnProcess } from "../sys/process.js";
import { mountTree } from "./mountTree.js";
import { kernelApi, openOverlay } from "./openOverlay.js";
import type { OverlayMount } from "./openOverlay.js";

const root = process.getuid?.() === 0 ? {} : { skip: "needs root" };
const dir = fs.mkdtempSync(path.join(os.tmpdir(), "tbuild-mount-"));
test.after(() => fs.rmSync(dir, { recursive: true }));

function overlay(name: string, layers: number): Required<OverlayMount> {
  const at = path.join(dir, name);
  const lower = Array.from({ length: layers }, (_, i) => path.join(at, `l${i}`));
  for (const directory of [...lower, path.join(at, "upper"), path.join(at, "work")]) fs.mkdirSync(directory, { recursive: true });
  lower.forEach((directory, i) => fs.writeFileSync(path.join(directory, `file${i}`), String(i)));
  return { type: "overlay", lower, upper: path.join(at, "upper"), work: path.join(at, "work") };
}

const mountTable = () => fs.readFileSync("/proc/self/mountinfo", "utf8");

test("mountTree() uses a bind in place", async () => {
  await using tree = await mountTree({ type: "bind", source: dir, readonly: false });
  assert.equal(tree.path, dir);
});

test("mountTree() gives a detached overlay that can be written, and is in no mount table", root, async () => {
  const mount = overlay("detached", 2);
  await using tree = await mountTree(mount);
  fs.writeFileSync(`${tree.path}/new`, "new");
  fs.renameSync(`${tree.path}/new`, `${tree.path}/renamed`);
  fs.chownSync(`${tree.path}/file1`, 12, 34);
  mknod(`${tree.path}/null`, 0o020666, makeDevice(1, 3));
  fs.unlinkSync(`${tree.path}/file0`);
  const rootFd = fs.openSync(tree.path, fs.constants.O_RDONLY);
  fs.closeSync(openInRoot(rootFd, "renamed", fs.constants.O_RDONLY));
  fs.closeSync(rootFd);
  assert.deepEqual(fs.readdirSync(tree.path).sort(), ["file1", "null", "renamed"]);
  assert.deepEqual(fs.readdirSync(mount.upper).sort(), ["file0", "file1", "null", "renamed"]);
  assert.ok(!mountTable().includes(mount.upper));
});

test("mountTree()'s path works in a worker thread", root, async () => {
  await using tree = await mountTree(overlay("worker", 2));
  const code = `const fs = require("fs"); fs.writeFileSync(require("worker_threads").workerData + "/from-worker", "w")`;
  const worker = new Worker(code, { eval: true, workerData: tree.path });
  await new Promise((resolve, reject) => worker.once("exit", resolve).once("error", reject));
  assert.equal(fs.readFileSync(`${tree.path}/from-worker`, "utf8"), "w");
});

test("mountTree() mounts an upper again after a mount that nobody ended properly", root, async () => {
  const mount = overlay("again", 1);
  for (let i = 0; i < 2; i++) {
    await using tree = await mountTree(mount);
    fs.writeFileSync(`${tree.path}/run${i}`, "");
  }
  fs.mkdirSync(`${mount.work}/work/incompat/volatile`, { recursive: true });
  await using tree = await mountTree(mount);
  assert.deepEqual(fs.readdirSync(tree.path).sort(), ["file0", "run0", "run1"]);
});

test("mountTree() refuses writes without an upper", root, async () => {
  const { lower } = overlay("readonly", 2);
  await using tree = await mountTree({ type: "overlay", lower });
  assert.throws(() => fs.writeFileSync(`${tree.path}/x`, ""), { code: "EROFS" });
});

test("mountTree() with `at` is seen by other programs and leaves neither mount nor directory", root, async () => {
  const at = path.join(dir, "at");
  const mount = overlay("placed", 3);
  const [lower = ""] = mount.lower;
  for (const each of [mount, { type: "overlay", lower: [lower] }, { type: "bind", source: lower, readonly: true }] as const) {
    {
      await using tree = await mountTree(each, at);
      assert.equal(tree.path, at);
      const child = spawnProcess({ argv: ["test", "-e", `${at}/file0`], env: [] });
      assert.equal((await child.exited).exitCode, 0);
      if (each !== mount) assert.throws(() => fs.writeFileSync(`${at}/x`, ""), { code: "EROFS" });
    }
    assert.ok(!mountTable().includes(at));
    assert.ok(!fs.existsSync(at));
  }
});

test("mountTree() takes 480 lower directories, long names and odd characters", root, async () => {
  const odd = `odd:,\\${"x".repeat(240)}`;
  await using tree = await mountTree(overlay(odd, 480));
  assert.equal(fs.readdirSync(tree.path).length, 480);
  assert.equal(fs.readFileSync(`${tree.path}/file479`, "utf8"), "479");
});

test("openOverlay() works on kernels before 6.8, and refuses there what does not fit", root, () => {
  const mount = overlay("old:kernel", 150);
  const fd = openOverlay(mount, "mount");
  fs.writeFileSync(`/proc/self/fd/${fd}/new`, "");
  assert.equal(fs.readdirSync(`/proc/self/fd/${fd}`).length, 151);
  fs.closeSync(fd);
  assert.ok(!mountTable().includes("tbuild-overlay-"));
  assert.throws(() => openOverlay(overlay("too-long", 300), "mount"), (error) => hasCode(error, "unsupported"));
});

test("openOverlay() leaks no descriptor, and names the kernel's reason when it fails", root, () => {
  const mount = overlay("failing", 2);
  const before = fs.readdirSync("/proc/self/fd").length;
  assert.throws(() => openOverlay({ ...mount, work: mount.upper }), (error) => hasCode(error, "unsupported"));
  assert.throws(() => openOverlay({ ...mount, lower: ["/no/such/directory"] }), { code: "ENOENT" });
  assert.equal(fs.readdirSync("/proc/self/fd").length, before);
});

const releases = [["6.1.0-18-amd64", "mount"], ["6.8.0", "fsconfig"], ["6.18.44-fc", "fsconfig"], ["7.0", "fsconfig"]] as const;
for (const [release, api] of releases) {
  test(`kernelApi() is ${api} for ${release}`, () => assert.equal(kernelApi(release), api));
}

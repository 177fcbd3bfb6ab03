import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import { lutimes, makeDevice, mknod } from "../sys/node.js";
import { lgetxattr, lsetxattr } from "../sys/xattr.js";
import { copyTree } from "./copyTree.js";

const root = process.getuid?.() === 0 ? {} : { skip: "needs root" };
const dir = fs.mkdtempSync(path.join(os.tmpdir(), "tbuild-copy-"));
test.after(() => fs.rmSync(dir, { recursive: true }));

function pair(name: string): { from: string; to: string } {
  const pairOf = { from: path.join(dir, name, "from"), to: path.join(dir, name, "to") };
  for (const directory of Object.values(pairOf)) fs.mkdirSync(directory, { recursive: true });
  return pairOf;
}

test("copyTree() keeps owners, modes, times, xattrs, devices and symlinks", root, () => {
  const { from, to } = pair("attributes");
  fs.mkdirSync(`${from}/d`);
  fs.writeFileSync(`${from}/d/suid`, "content");
  fs.chownSync(`${from}/d/suid`, 5, 6);
  fs.chmodSync(`${from}/d/suid`, 0o4751);
  lsetxattr(`${from}/d/suid`, "user.x", Buffer.from([0, 1]));
  fs.symlinkSync("/nowhere", `${from}/link`);
  mknod(`${from}/null`, 0o020600, makeDevice(1, 3));
  for (const name of ["d/suid", "link", "null", "d", "."]) lutimes(`${from}/${name}`, 1n, 1_234_567_890_123_456_789n);
  copyTree(from, to);
  for (const name of ["d/suid", "link", "null", "d", "."]) {
    const [a, b] = [from, to].map((side) => fs.lstatSync(`${side}/${name}`, { bigint: true }));
    const fields = (s = a) => [s?.mode, s?.uid, s?.gid, s?.mtimeNs, s?.rdev];
    assert.deepEqual(fields(b), fields(a), name);
  }
  assert.equal(fs.readFileSync(`${to}/d/suid`, "utf8"), "content");
  assert.equal(fs.readlinkSync(`${to}/link`), "/nowhere");
  assert.deepEqual(lgetxattr(`${to}/d/suid`, "user.x"), Buffer.from([0, 1]));
});

test("copyTree() keeps hard links among the copied files, apart from the originals", () => {
  const { from, to } = pair("links");
  fs.writeFileSync(`${from}/a`, "");
  fs.linkSync(`${from}/a`, `${from}/b`);
  copyTree(from, to);
  const [a, b] = ["a", "b"].map((name) => fs.statSync(`${to}/${name}`));
  assert.equal(a?.ino, b?.ino);
  assert.equal(a?.nlink, 2);
  assert.notEqual(a?.ino, fs.statSync(`${from}/a`).ino);
});

test("copyTree() copies names that are not UTF-8, and stops when tick throws", () => {
  const { from, to } = pair("bytes");
  const name = Buffer.concat([Buffer.from(`${from}/`), Buffer.from([0xff])]);
  fs.writeFileSync(name, "12345");
  const counts = { bytes: 0, files: 0 };
  copyTree(from, to, (bytes, files) => {
    counts.bytes += bytes;
    counts.files += files;
  });
  assert.deepEqual(fs.readdirSync(to, { encoding: "buffer" }), [Buffer.from([0xff])]);
  assert.deepEqual(counts, { bytes: 5, files: 1 });
  const stop = () => {
    throw new Error("stop");
  };
  assert.throws(() => copyTree(from, pair("bytes-2").to, stop), /stop/);
});

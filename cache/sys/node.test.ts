import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import { copyFileRange, fsyncDirectory, lutimes, makeDevice, mknod, openInRoot, renameat2, splitDevice } from "./node.js";
import { RENAME_EXCHANGE } from "./node.js";
import { lgetxattr, llistxattr, lremovexattr, lsetxattr } from "./xattr.js";

const dir = fs.mkdtempSync(path.join(os.tmpdir(), "tbuild-sys-"));
const at = (name: string) => path.join(dir, name);
const root = process.getuid?.() === 0 ? {} : { skip: "needs root" };
test.after(() => fs.rmSync(dir, { recursive: true }));

test("lutimes() keeps nanoseconds, also before the epoch and of a symlink", () => {
  fs.writeFileSync(at("target"), "");
  fs.symlinkSync("target", at("link"));
  for (const ns of [1_700_000_000_123_456_789n, -1n, 0n]) {
    lutimes(at("link"), 5n, ns);
    assert.equal(fs.lstatSync(at("link"), { bigint: true }).mtimeNs, ns);
  }
  assert.notEqual(fs.statSync(at("target"), { bigint: true }).atimeNs, 5n);
});

test("mknod() makes devices and FIFOs with their numbers", root, () => {
  const nodes = [["null", 0o020666, 1, 3], ["big", 0o060600, 259, 70000], ["fifo", 0o010600, 0, 0]] as const;
  for (const [name, mode, major, minor] of nodes) {
    mknod(at(name), mode, makeDevice(major, minor));
    const stat = fs.lstatSync(at(name));
    assert.equal(stat.mode & 0o170000, mode & 0o170000);
    assert.deepEqual(splitDevice(stat.rdev), { major, minor });
  }
});

test("openInRoot() stays inside", () => {
  fs.mkdirSync(at("root/etc"), { recursive: true });
  fs.writeFileSync(at("root/etc/passwd"), "inside");
  fs.symlinkSync("/etc/passwd", at("root/absolute"));
  fs.symlinkSync("../../../etc/passwd", at("root/dots"));
  const rootFd = fs.openSync(at("root"), fs.constants.O_RDONLY);
  for (const name of ["absolute", "dots", "/etc/passwd", "../etc/passwd"]) {
    const fd = openInRoot(rootFd, name, fs.constants.O_RDONLY);
    assert.equal(fs.readFileSync(fd, "utf8"), "inside", name);
    fs.closeSync(fd);
  }
  const missing = { code: "ENOENT", syscall: "openat2", path: "missing" };
  assert.throws(() => openInRoot(rootFd, "missing", fs.constants.O_RDONLY), missing);
  fs.closeSync(rootFd);
});

test("xattrs keep binary names' values, list in full, and are null when absent", root, () => {
  const file = Buffer.concat([Buffer.from(`${dir}/`), Buffer.from([0xff, 0xfe])]);
  fs.writeFileSync(file, "");
  const value = Buffer.from([0, 255, 1]);
  lsetxattr(file, "user.binary", value);
  lsetxattr(file, "trusted.empty", Buffer.alloc(0));
  assert.deepEqual(lgetxattr(file, "user.binary"), value);
  assert.deepEqual(lgetxattr(file, "trusted.empty"), Buffer.alloc(0));
  assert.deepEqual(llistxattr(file).map(String).sort(), ["trusted.empty", "user.binary"]);
  lremovexattr(file, "user.binary");
  assert.equal(lgetxattr(file, "user.binary"), null);
  assert.throws(() => lgetxattr(at("absent"), "user.x"), { code: "ENOENT" });
  assert.throws(() => lremovexattr(file, "user.binary"), { code: "ENODATA" });
});

test("renameat2() exchanges two names", () => {
  fs.writeFileSync(at("a"), "a");
  fs.writeFileSync(at("b"), "b");
  renameat2(at("a"), at("b"), RENAME_EXCHANGE);
  assert.equal(fs.readFileSync(at("a"), "utf8"), "b");
});

test("copyFileRange() copies until it returns 0", () => {
  fs.writeFileSync(at("from"), "x".repeat(100_000));
  const from = fs.openSync(at("from"), "r");
  const to = fs.openSync(at("to"), "w");
  while (copyFileRange(from, to, 65536) > 0);
  fs.closeSync(from);
  fs.closeSync(to);
  assert.equal(fs.statSync(at("to")).size, 100_000);
});

test("a path with a NUL inside is refused", () => {
  assert.throws(() => lutimes("/tmp\0/x", 0n, 0n), { code: "EINVAL" });
});

test("fsyncDirectory() accepts a directory", () => fsyncDirectory(dir));

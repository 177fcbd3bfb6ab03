import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { linkSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { hasCode } from "../errors.js";
import type { JobContext } from "../bulk/jobs.js";
import type { NewEntry, TreeWrite } from "../bulk/treeEntries.js";
import { lsetxattr } from "../sys/xattr.js";
import { tempDir } from "../testing/tempDir.js";
import { listTree } from "./listTree.js";
import { writeTree } from "./writeTree.js";

const ctx: JobContext = { tick: () => {}, emit: () => {} };
const as = (mode: number, extra: Partial<NewEntry> = {}): NewEntry => ({ mode, owner: { uid: 0, gid: 0 }, mtimeNs: 1_500_000_000_123_456_789n, xattrs: null, ...extra });
const write = (root: string, writes: readonly TreeWrite[], content = "") => writeTree({ root, writes, content: Buffer.from(content) }, ctx);

test("listTree() lists what writeTree() wrote", async () => {
  await using dir = await tempDir();
  const xattrs = new Map([["user.note", Uint8Array.of(1, 2)], ["trusted.overlay.opaque", Uint8Array.of(121)]]);
  write(
    dir.path,
    [
      { kind: "directory", path: "a", isNew: true, as: as(0o1775) },
      { kind: "file", path: "a/f", isNew: true, bytes: 3, as: as(0o4750, { owner: { uid: 5, gid: 6 }, xattrs }) },
      { kind: "file", path: "a/g", isNew: true, bytes: 2, as: null },
      { kind: "symlink", path: "a.link", target: "nowhere", as: as(0o777) },
      { kind: "node", path: "device", type: 0o020000, device: 0x103n, as: as(0o640) },
      { kind: "node", path: "fifo", type: 0o010000, device: 0n, as: as(0o600) },
      { kind: "file", path: "a/g", isNew: false, bytes: 1, as: as(0o400) },
      { kind: "link", path: "z", target: "a/f" },
      { kind: "time", path: "a", mtimeNs: -1n },
    ],
    "onetwo",
  );
  const list = listTree({ path: dir.path, xattrs: true }, ctx);
  assert.deepEqual(list.map((e) => [e.path, e.mode.toString(8), e.uid, e.gid, e.size, e.link, e.device]), [
    ["a", "41775", 0, 0, 0, "", 0n],
    ["a/f", "104750", 5, 6, 3, "", 0n],
    ["a/g", "100400", 0, 0, 3, "", 0n],
    ["a.link", "120777", 0, 0, 7, "nowhere", 0n],
    ["device", "20640", 0, 0, 0, "", 0x103n],
    ["fifo", "10600", 0, 0, 0, "", 0n],
    ["z", "104750", 5, 6, 0, "a/f", 0n],
  ]);
  assert.deepEqual(list.map(({ mtimeNs }) => mtimeNs), [-1n, ...Array<bigint>(6).fill(1_500_000_000_123_456_789n)]);
  assert.deepEqual([...(list[1]?.xattrs ?? [])].map(([name, value]) => [name, [...value]]), [["user.note", [1, 2]]]);
  assert.equal(execFileSync("cat", ["a/f", "a/g"], { cwd: dir.path, encoding: "utf8" }), "onetwo");
});

test("writeTree() opens no file that is there, and follows no link", async () => {
  await using dir = await tempDir();
  const outside = path.join(dir.path, "outside");
  const root = path.join(dir.path, "root");
  mkdirSync(root);
  writeFileSync(outside, "precious");
  symlinkSync(outside, path.join(root, "link"));
  linkSync(outside, path.join(root, "hard"));
  for (const name of ["link", "hard"]) {
    assert.throws(() => write(root, [{ kind: "file", path: name, isNew: true, bytes: 1, as: as(0o600) }], "x"), (error) => hasCode(error, "unsupported"));
  }
  assert.throws(() => write(root, [{ kind: "file", path: "link", isNew: false, bytes: 1, as: null }], "x"), (error) => hasCode(error, "unsupported"));
  write(root, [{ kind: "remove", path: "link" }, { kind: "remove", path: "absent/at/all" }]);
  assert.equal(execFileSync("cat", [outside], { encoding: "utf8" }), "precious");
});

test("listTree() leaves attributes out when they are not asked for", async () => {
  await using dir = await tempDir();
  writeFileSync(path.join(dir.path, "f"), "");
  lsetxattr(path.join(dir.path, "f"), "user.note", Uint8Array.of(1));
  assert.deepEqual(listTree({ path: dir.path, xattrs: false }, ctx).map(({ xattrs }) => xattrs), [null]);
});

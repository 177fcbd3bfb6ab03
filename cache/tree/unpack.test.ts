import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import { test } from "node:test";
import { encodeEntry, NO_XATTRS, type TarEntry } from "../diff/header.js";
import { fileActions } from "./actions.js";
import { copyOf, listTree, quiet, tempDir, tempTree } from "./tempTree.fixture.js";
import { isArchive } from "./unpack.js";

const add = (root: string, file: string, dest: string, change: Parameters<typeof copyOf>[3] = {}) => {
  const at = file.lastIndexOf("/");
  const action = copyOf(file.slice(0, at), file.slice(at + 1), dest, { unpack: true, ...change });
  return fileActions({ root, actions: [action] }, quiet);
};

const entry = (change: Partial<TarEntry>): TarEntry => ({
  type: "file", name: "x", linkName: "", mode: 0o644, uid: 1, gid: 2, mtimeNs: 77_000_000_000n, size: 0, devMajor: 0, devMinor: 0,
  xattrs: NO_XATTRS, ...change,
});

function tarOf(...entries: TarEntry[]): string {
  const file = `${tempDir()}/a.tar`;
  fs.writeFileSync(file, Buffer.concat([...entries.map(encodeEntry), Buffer.alloc(1024)]));
  return file;
}

test("ADD unpacks tars of every compression, whatever their names", () => {
  const source = tempTree({ "d/x": "data", "l": "-> d/x" });
  for (const flag of ["", "-z", "-j", "-J", "--zstd"]) {
    const file = `${tempDir()}/archive`;
    execFileSync("tar", ["-C", source, "-c", ...(flag === "" ? [] : [flag]), "-f", file, "d", "l"]);
    const root = tempDir();
    add(root, file, "/opt");
    assert.deepEqual(listTree(root), { "opt/d/x": "data", "opt/l": "-> d/x" }, flag);
  }
});

test("ADD copies what is no archive", () => {
  const source = tempTree({ "a.tar": "not really", "e.tgz": "" });
  fs.writeFileSync(`${source}/zeros`, Buffer.alloc(4096));
  fs.writeFileSync(`${source}/t.gz`, execFileSync("gzip", ["-c"], { input: "text" }));
  for (const name of ["a.tar", "e.tgz", "zeros", "t.gz"]) assert.equal(isArchive(`${source}/${name}`), false, name);
  const root = tempDir();
  add(root, `${source}/a.tar`, "/opt/");
  assert.deepEqual(listTree(root), { "opt/a.tar": "not really" });
});

test("ADD keeps names, absolute paths and links of an archive inside the destination", () => {
  const root = tempTree({ "opt/": "", "etc/passwd": "safe" });
  const file = tarOf(
    entry({ name: "../../etc/passwd" }), entry({ name: "/abs" }), entry({ type: "symlink", name: "out", linkName: "/etc" }),
    entry({ name: "out/shadow" }), entry({ type: "link", name: "hard", linkName: "../abs" }),
  );
  add(root, file, "/opt");
  assert.deepEqual(listTree(root), {
    "etc/passwd": "safe", "opt/abs": "", "opt/etc/passwd": "", "opt/etc/shadow": "", "opt/hard": "", "opt/out": "-> /etc",
  });
  assert.equal(fs.statSync(`${root}/opt/abs`).ino, fs.statSync(`${root}/opt/hard`).ino);
});

test("ADD takes files named like whiteouts as files and replaces what is in the way", () => {
  const root = tempTree({ "a/x": "old", "b": "old", "d/keep": "old" });
  const dir = (name: string) => entry({ type: "dir", name });
  const file = tarOf(entry({ name: ".wh.d" }), entry({ name: "a" }), dir("b"), dir("d"));
  add(root, file, "/");
  assert.deepEqual(listTree(root), { ".wh.d": "", "a": "", "b/": "", "d/keep": "old" });
});

test("ADD sets owner and time of unpacked entries, or keeps them", () => {
  const file = tarOf(entry({ name: "d/x", mode: 0o4755 }));
  const of = (root: string) => {
    const { uid, gid, mode, mtimeMs } = fs.statSync(`${root}/d/x`);
    return [uid, gid, (mode & 0o7777).toString(8), mtimeMs];
  };
  const [kept, given] = [tempDir(), tempDir()];
  add(kept, file, "/", { archiveOwner: null, mtime: null });
  add(given, file, "/", { archiveOwner: { uid: 5, gid: 6 }, mtime: 9 });
  assert.deepEqual(of(kept), [1, 2, "4755", 77_000]);
  assert.deepEqual(of(given), [5, 6, "4755", 9000]);
  assert.equal(fs.statSync(`${given}/d`).mtimeMs, 9000);
});

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import { test } from "node:test";
import type { FileAction } from "../bulk/actionJobs.js";
import { hasCode } from "../errors.js";
import { fileActions } from "./actions.js";
import { copyOf, copySelection, listTree, quiet, tempDir, tempTree } from "./tempTree.fixture.js";

const run = (root: string, ...actions: FileAction[]) => fileActions({ root, actions }, quiet);
const modeOf = (path: string) => (fs.lstatSync(path).mode & 0o7777).toString(8);
const mtimeOf = (path: string) => fs.lstatSync(path).mtimeMs / 1000;

const context = { "f": "file", "g": "other", "d/x": "dx", "d/sub/y": "dy" };

// Source: Dockerfile reference, COPY, "Destination"; BuildKit fsutil/copy prepareTargetDir.
const rows: readonly [src: string, dest: string, before: Record<string, string>, after: Record<string, string>][] = [
  ["f", "/n", {}, { "n": "file" }],
  ["f", "/n/", {}, { "n/f": "file" }],
  ["f", "/a/b/n", {}, { "a/b/n": "file" }],
  ["f", "/a", { "a/": "" }, { "a/f": "file" }],
  ["f", "/a/.", {}, { "a/f": "file" }],
  ["f", "/n", { "n": "old" }, { "n": "file" }],
  ["f", "/", {}, { "f": "file" }],
  ["d", "/n", {}, { "n/x": "dx", "n/sub/y": "dy" }],
  ["d/", "/n/", {}, { "n/x": "dx", "n/sub/y": "dy" }],
  ["d", "/n", { "n/z": "old", "n/x": "old" }, { "n/x": "dx", "n/sub/y": "dy", "n/z": "old" }],
  ["?", "/n/", {}, { "n/f": "file", "n/g": "other", "n/x": "dx", "n/sub/y": "dy" }],
  ["f", "/link/", { "etc/": "", "link": "-> /etc" }, { "etc/f": "file", "link": "-> /etc" }],
  ["f", "/link", { "etc/": "", "link": "-> /etc" }, { "etc/f": "file", "link": "-> /etc" }],
  ["f", "/up/f", { "up": "-> ../../../.." }, { "f": "file", "up": "-> ../../../.." }],
  ["f", "/n", { "n": "-> t", "t": "old" }, { "n": "-> t", "t": "file" }],
  ["f", "/n", { "n": "-> /v/t" }, { "n": "-> /v/t", "v/t": "file" }],
  ["d", "/n", { "n/x": "-> /t", "t": "old" }, { "n/x": "dx", "n/sub/y": "dy", "t": "old" }],
  ["f", "/a/../../n", {}, { "n": "file" }],
];

test("copy puts files where Docker does and follows the target's links inside its root", () => {
  const source = tempTree(context);
  for (const [src, dest, before, after] of rows) {
    const root = tempTree(before);
    run(root, copyOf(source, src, dest));
    assert.deepEqual(listTree(root), after, `${src} → ${dest}`);
  }
});

test("copy refuses what would turn a file into a directory or back, unless told to replace", () => {
  const source = tempTree({ "d/x/y": "1", "e/x": "2" });
  const refused: [string, string, Record<string, string>][] = [
    ["d", "/n", { "n": "file" }], ["d", "/n", { "n/x": "file" }], ["e", "/n", { "n/x/y": "dir" }],
    ["e/x", "/n/x/", { "n/x": "f" }],
    ["d", "/n", { "n/x": "-> /t", "t/": "" }], ["e/x", "/f/n", { "f": "file" }],
  ];
  for (const [src, dest, before] of refused) {
    const copy = () => run(tempTree(before), copyOf(source, src, dest));
    assert.throws(copy, (e) => hasCode(e, "invalid_argument"), `${src} → ${dest}`);
  }
  const root = tempTree({ "n/x": "file", "m/x/y": "dir" });
  run(root, copyOf(source, "d", "/n", { replaceExisting: true }), copyOf(source, "e", "/m", { replaceExisting: true }));
  assert.deepEqual(listTree(root), { "m/x": "2", "n/x/y": "1" });
});

test("copy with names of directories copies the directory itself", () => {
  const source = tempTree(context);
  const selection = copySelection("d", { dirContents: false });
  const root = tempTree({ "have/": "" });
  run(root, copyOf(source, "", "/new", { selection }), copyOf(source, "", "/have", { selection }));
  assert.deepEqual(Object.keys(listTree(root)), ["have/d/sub/y", "have/d/x", "new/sub/y", "new/x"]);
});

test("copy gives owner, mode and time to all it writes, and existing directories keep theirs", () => {
  const source = tempTree({ "d/s/x": "1", "d/l": "-> x" });
  fs.chmodSync(`${source}/d/s/x`, 0o4755);
  fs.chmodSync(`${source}/d/s`, 0o2710);
  const root = tempTree({ "opt/": "" });
  fs.utimesSync(`${root}/opt`, 5, 5);
  fs.utimesSync(root, 6, 6);
  run(root, copyOf(source, "d", "/opt/app/v1", { owner: { uid: 7, gid: 8 } }));
  for (const path of ["opt/app", "opt/app/v1", "opt/app/v1/s", "opt/app/v1/s/x", "opt/app/v1/l"]) {
    const { uid, gid } = fs.lstatSync(`${root}/${path}`);
    assert.deepEqual([uid, gid, mtimeOf(`${root}/${path}`)], [7, 8, 1_000_000], path);
  }
  assert.deepEqual([mtimeOf(`${root}/opt`), mtimeOf(root)], [5, 6]);
  assert.deepEqual(["s", "s/x", ""].map((path) => modeOf(`${root}/opt/app/v1/${path}`)), ["2710", "4755", "755"]);
});

test("copy keeps source times to the nanosecond when there is no time to set", () => {
  const source = tempTree({ "f": "1", "d/x": "1" });
  execFileSync("touch", ["-d", "2001-02-03 04:05:06.123456789", `${source}/f`, `${source}/d`]);
  const root = tempDir();
  run(root, copyOf(source, "/", "/", { mtime: null }));
  for (const name of ["f", "d"]) {
    const ns = (at: string) => fs.statSync(`${at}/${name}`, { bigint: true }).mtimeNs;
    assert.equal(ns(root), ns(source), name);
  }
});

test("copy takes octal and symbolic modes", () => {
  const source = tempTree({ "d/x": "1", "d/s/y": "1" });
  fs.chmodSync(`${source}/d/x`, 0o711);
  const root = tempDir();
  run(root, copyOf(source, "d", "/a", { mode: 0o750 }), copyOf(source, "d", "/b", { modeText: "u=rwX,go=rX" }));
  assert.deepEqual(["a", "a/x", "a/s/y"].map((path) => modeOf(`${root}/${path}`)), ["750", "750", "750"]);
  assert.deepEqual(["b", "b/x", "b/s", "b/s/y"].map((path) => modeOf(`${root}/${path}`)), ["755", "755", "755", "644"]);
  assert.throws(() => run(root, copyOf(source, "d", "/c", { modeText: "z" })), (e) => hasCode(e, "invalid_argument"));
});

test("copy into a directory with setgid still gives the asked group and mode", () => {
  const root = tempTree({ "g/": "" });
  fs.chownSync(`${root}/g`, 0, 33);
  fs.chmodSync(`${root}/g`, 0o2755);
  run(root, copyOf(tempTree({ "d/x": "1", "d/e/y": "1" }), "d", "/g/"));
  for (const path of ["g/x", "g/e", "g/e/y"]) assert.equal(fs.statSync(`${root}/${path}`).gid, 0, path);
  assert.equal(modeOf(`${root}/g/e`), "755");
});

test("copy keeps hard links, attributes, pipes, devices and odd names, and leaves sockets out", () => {
  const source = tempTree({ "d/a": "1" });
  fs.linkSync(`${source}/d/a`, `${source}/d/b`);
  execFileSync("setfattr", ["-n", "user.k", "-v", "v", `${source}/d/a`]);
  execFileSync("mkfifo", [`${source}/d/p`]);
  execFileSync("mknod", [`${source}/d/null`, "c", "1", "3"]);
  execFileSync("python3", ["-c", "import socket,sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])", `${source}/d/s`]);
  const odd = Buffer.of(0xff, 0x41);
  fs.writeFileSync(Buffer.concat([Buffer.from(`${source}/d/`), odd]), "odd");
  const root = tempDir();
  assert.deepEqual(run(root, copyOf(source, "d", "/n")), { files: 5, bytes: 5 });
  assert.equal(fs.statSync(`${root}/n/a`).ino, fs.statSync(`${root}/n/b`).ino);
  assert.match(execFileSync("getfattr", ["-d", "--absolute-names", `${root}/n/a`], { encoding: "utf8" }), /user\.k="v"/);
  assert.equal(fs.lstatSync(`${root}/n/p`).isFIFO(), true);
  assert.equal(fs.lstatSync(`${root}/n/null`).rdev, fs.lstatSync("/dev/null").rdev);
  assert.equal(fs.existsSync(`${root}/n/s`), false);
  assert.equal(fs.readFileSync(Buffer.concat([Buffer.from(`${root}/n/`), odd]), "utf8"), "odd");
});

test("copy obeys ignore rules, includes and excludes and makes only needed directories", () => {
  const source = tempTree({ "a/x.md": "1", "a/y.ts": "2", "b/z.md": "3", "c/keep.md": "4", "e/": "" });
  const copied = (ignore: string[], include: string[], exclude: string[]) => {
    const root = tempDir();
    run(root, copyOf(source, "", "/", { ignore, selection: copySelection("/", { include, exclude }) }));
    return Object.keys(listTree(root));
  };
  assert.deepEqual(copied(["**/*.md", "e", "!c/keep.md"], [], []), ["a/y.ts", "b/", "c/keep.md"]);
  assert.deepEqual(copied(["*", "!a/y.ts"], [], []), ["a/y.ts"]);
  assert.deepEqual(copied([], ["a/y.ts", "b"], []), ["a/y.ts", "b/z.md"]);
  assert.deepEqual(copied([], [], ["**/*.md", "!b/z.md"]), ["a/y.ts", "b/z.md", "c/", "e/"]);
});

test("copy copies a large file whole", () => {
  const source = tempTree({ "f": "" });
  const data = Buffer.alloc(5_000_003, "0123456789");
  fs.writeFileSync(`${source}/f`, data);
  const root = tempDir();
  run(root, copyOf(source, "f", "/f"));
  assert.equal(fs.readFileSync(`${root}/f`).equals(data), true);
});

test("copy notices a file that changes meanwhile", () => {
  const source = tempTree({ "f": "1" });
  fs.writeFileSync(`${source}/f`, Buffer.alloc(300_000));
  const ctx = { emit() {}, tick: () => fs.appendFileSync(`${source}/f`, "x") };
  assert.throws(
    () => fileActions({ root: tempDir(), actions: [copyOf(source, "f", "/f")] }, ctx),
    (e: Error) => hasCode(e, "unavailable") && e.message === '"f" changed while it was copied',
  );
});

test("copy without createDestPath wants the directory to exist", () => {
  const source = tempTree({ "f": "1" });
  const root = tempDir();
  assert.throws(() => run(root, copyOf(source, "f", "/a/f", { createDestPath: false })), (e) => hasCode(e, "not_found"));
  run(root, copyOf(source, "f", "/f", { createDestPath: false }));
});

test("mkdir, mkfile, symlink and rm work inside the root", () => {
  const root = tempTree({ "etc/": "", "l": "-> /etc", "out": "-> ../../../../etc" });
  const by = { owner: { uid: 3, gid: 4 }, mtime: 50 };
  fs.utimesSync(`${root}/etc`, 9, 9);
  run(
    root,
    { kind: "mkdir", path: "/l/a/b", mode: 0o700, makeParents: true, ...by },
    { kind: "mkfile", path: "/out/f", mode: 0o4640, data: Buffer.from("data"), ...by },
    { kind: "symlink", target: "f", path: "/etc/s", ...by },
  );
  const links = { "l": "-> /etc", "out": "-> ../../../../etc" };
  assert.deepEqual(listTree(root), { "etc/a/b/": "", "etc/f": "data", "etc/s": "-> f", ...links });
  for (const path of ["etc/a", "etc/a/b", "etc/f", "etc/s"]) {
    const { uid, gid } = fs.lstatSync(`${root}/${path}`);
    assert.deepEqual([uid, gid, mtimeOf(`${root}/${path}`)], [3, 4, 50], path);
  }
  assert.deepEqual([modeOf(`${root}/etc/a/b`), modeOf(`${root}/etc/f`), mtimeOf(`${root}/etc`)], ["700", "640", 9]);
  const rm = { kind: "rm", allowNotFound: false, wildcard: false } as const;
  run(root, { ...rm, path: "/l/a" }, { ...rm, path: "/etc/[fs]", wildcard: true });
  run(root, { ...rm, path: "/l" }, { ...rm, path: "/no", allowNotFound: true });
  assert.deepEqual(listTree(root), { "etc/": "", "out": "-> ../../../../etc" });
});

test("mkdir, mkfile, symlink and rm say what is wrong", () => {
  const root = tempTree({ "f": "1", "d/x": "" });
  const by = { owner: null, mtime: null };
  const rows: [FileAction, string][] = [
    [{ kind: "mkdir", path: "/f", mode: 0o755, makeParents: true, ...by }, "invalid_argument"],
    [{ kind: "mkdir", path: "/f/x", mode: 0o755, makeParents: true, ...by }, "invalid_argument"],
    [{ kind: "mkdir", path: "/no/x", mode: 0o755, makeParents: false, ...by }, "not_found"],
    [{ kind: "mkfile", path: "/d", mode: 0o644, data: Buffer.of(), ...by }, "invalid_argument"],
    [{ kind: "mkfile", path: "/no/f", mode: 0o644, data: Buffer.of(), ...by }, "not_found"],
    [{ kind: "symlink", path: "/f", target: "x", ...by }, "already_exists"],
    [{ kind: "rm", path: "/no", allowNotFound: false, wildcard: false }, "not_found"],
    [{ kind: "rm", path: "/d/..", allowNotFound: false, wildcard: false }, "invalid_argument"],
  ];
  for (const [action, code] of rows) {
    assert.throws(() => run(root, action), (e) => hasCode(e, code as "not_found"), JSON.stringify(action));
  }
});

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import { hasCode, type ErrorCode } from "../errors.js";
import { digestOf } from "../oci/digest.js";
import { applyBytes, describeTree, partBytes, tarOf, tempDir, type TarPart } from "./diffFixture.js";

/** A root with a sibling that nothing may touch. */
function makeRoot(t: TestContext, ...layers: readonly (readonly TarPart[])[]): string {
  const dir = tempDir(t);
  fs.mkdirSync(path.join(dir, "outside"));
  fs.writeFileSync(path.join(dir, "outside/secret"), "untouched");
  const root = path.join(dir, "root");
  fs.mkdirSync(root);
  for (const parts of layers) applyBytes(root, tarOf(...parts));
  return root;
}

function names(root: string): string[] {
  return fs.readdirSync(root, { recursive: true, encoding: "utf8" }).sort();
}

function checkOutside(root: string): void {
  const outside = path.join(path.dirname(root), "outside");
  assert.deepEqual(fs.readdirSync(outside), ["secret"]);
  assert.equal(fs.readFileSync(path.join(outside, "secret"), "utf8"), "untouched");
}

const dir = (name: string): TarPart => ({ name, type: "dir" });
const file = (name: string, data = "x"): TarPart => ({ name, data });
const symlink = (name: string, linkName: string): TarPart => ({ name, type: "symlink", linkName });
const link = (name: string, linkName: string): TarPart => ({ name, type: "link", linkName });

test("applyLayer() returns digest and size of the uncompressed tar with all that follows it", (t) => {
  const root = makeRoot(t);
  const bytes = Buffer.concat([tarOf(file("a")), Buffer.alloc(10240), Buffer.from("trailing")]);
  assert.deepEqual(applyBytes(root, bytes), { diffId: digestOf(bytes), size: bytes.length });
});

const cases: readonly (readonly [string, readonly TarPart[], readonly TarPart[], readonly string[]])[] = [
  ["removes what a whiteout names", [dir("d"), file("d/a"), file("b")], [file(".wh.d"), file(".wh.none")], ["b"]],
  ["keeps what its own layer wrote", [dir("d"), file("d/old")], [dir("d"), file("d/new"), file(".wh.d")], ["d", "d/new"]],
  ["removes lower content of an opaque directory only", [dir("d"), file("d/old"), dir("d/s"), file("d/s/old")],
    [dir("d"), file("d/s/new"), file("d/.wh..wh..opq"), file("d/n")], ["d", "d/n", "d/s", "d/s/new"]],
  ["skips bookkeeping of aufs", [], [dir(".wh..wh.plnk"), file(".wh..wh.plnk/1"), file(".wh..wh.aufs"), file("a")], ["a"]],
  ["replaces a file by a directory", [file("a")], [dir("a"), file("a/b")], ["a", "a/b"]],
  ["replaces a directory by a file", [dir("a"), file("a/b")], [file("a")], ["a"]],
  ["replaces a directory by a device", [dir("a"), file("a/b")], [{ name: "a", type: "char", devMajor: 1, devMinor: 3 }], ["a"]],
  ["merges directories", [dir("a"), file("a/b")], [dir("a"), file("a/c")], ["a", "a/b", "a/c"]],
  ["creates missing parents", [], [file("p/q/r")], ["p", "p/q", "p/q/r"]],
  ["strips leading slashes and inner dots", [], [file("/a"), file("./b/../c"), file("//d/./e")], ["a", "c", "d", "d/e"]],
  ["follows symlinks in parents inside the root", [dir("real"), symlink("abs", "/real"), symlink("up", "../../real")],
    [file("abs/a"), file("up/b"), file(".wh.none")], ["abs", "real", "real/a", "real/b", "up"]],
  ["lets a later entry win", [], [file("a", "1"), symlink("a", "b"), file("a", "2")], ["a"]],
  ["links hard links", [file("old")], [file("a"), link("b", "a"), link("/c", "/old"), link("c", "c")], ["a", "b", "c", "old"]],
  ["accepts metadata of the root", [], [dir("./"), file("a")], ["a"]],
];

for (const [title, lower, upper, expected] of cases) {
  test(`applyLayer() ${title}`, (t) => {
    const root = makeRoot(t, lower, upper);
    assert.deepEqual(names(root), expected);
    checkOutside(root);
  });
}

const outside = "../outside";
const hostile: readonly (readonly [string, readonly TarPart[], ErrorCode | null])[] = [
  ["a name that climbs out", [file("../outside/evil")], "path_escape"],
  ["a name that climbs out later", [file("a/../../outside/evil")], "path_escape"],
  ["an absolute name that climbs out", [file("/../outside/evil")], "path_escape"],
  ["a link target that climbs out", [link("a", "../outside/secret")], "path_escape"],
  ["a link through a symlink that leads out", [symlink("s", outside), link("a", "s/secret")], "corrupt"],
  ["a write through a symlink that leads out", [symlink("s", outside), file("s/evil")], null],
  ["a write onto a symlink that leads out", [symlink("s", "../outside/secret"), file("s", "evil")], null],
  ["a directory swapped for a symlink", [dir("d"), file("d/a"), symlink("d", outside), file("d/evil")], null],
  ["a known parent swapped for a symlink", [dir("d/e"), file("d/e/a"), symlink("d", outside), file("d/e/evil")], null],
  ["a symlink swapped twice", [dir("d"), symlink("s", "d"), file("s/a"), symlink("s", outside), file("s/evil")], null],
  ["a symlink to a symlink", [symlink("a", "/b"), symlink("b", outside), file("a/evil")], null],
  ["a directory's time through a swap", [dir("d/outside"), symlink("d", "..")], null],
  ["a whiteout of the parent", [file("d/.wh...")], "parse_failed"],
  ["a whiteout of itself", [file("d/.wh..")], "parse_failed"],
  ["a whiteout without a name", [file(".wh.")], "parse_failed"],
  ["a whiteout through a symlink", [symlink("s", outside), file("s/.wh.secret"), file("s/.wh..wh..opq")], null],
  ["a loop of symlinks", [symlink("a", "b"), symlink("b", "a"), file("a/x")], "corrupt"],
  ["a file as a parent", [file("a"), file("a/b")], "corrupt"],
  ["a link to nothing", [link("a", "b")], "corrupt"],
  ["a symlink to nowhere", [symlink("a", "")], "parse_failed"],
  ["an attribute that is too large", [{ ...file("a"), xattrs: new Map([["user.x", Buffer.alloc(70_000)]]) }], "unsupported"],
  ["an attribute that the kernel refuses", [{ ...file("a"), xattrs: new Map([["security.capability", Buffer.of(1)]]) }],
    "unsupported"],
  ["a link to a directory", [dir("b"), link("a", "b")], "corrupt"],
  ["a root that is a file", [file("."), file("a")], "corrupt"],
  ["a device that overlayfs takes for a whiteout", [{ name: "a", type: "char" }], "unsupported"],
  ["a name of 300 bytes", [file("n".repeat(300))], "unsupported"],
];

for (const [title, parts, code] of hostile) {
  test(`applyLayer() writes nothing outside for ${title}`, (t) => {
    const root = makeRoot(t);
    const apply = (): unknown => applyBytes(root, tarOf(...parts));
    const before = fs.statSync(path.join(root, "../outside"), { bigint: true }).mtimeNs;
    if (code === null) apply();
    else assert.throws(apply, (error) => hasCode(error, code));
    checkOutside(root);
    assert.equal(fs.statSync(path.join(root, "../outside"), { bigint: true }).mtimeNs, before);
  });
}

test("applyLayer() restores modes, owners, times, attributes and devices", (t) => {
  const root = makeRoot(t, [
    { ...dir("d"), mode: 0o1777, uid: 5, gid: 6, mtimeNs: 1_000_000_001n },
    { ...file("d/suid"), mode: 0o4755, uid: 1000, gid: 1000, mtimeNs: 1_600_000_000_123_456_789n },
    { ...file("d/capable"), xattrs: new Map([
      ["security.capability", Buffer.from("0100000200200000000000000000000000000000", "hex")],
      ["user.b", Buffer.of(0, 255)], ["trusted.overlay.opaque", Buffer.from("y")],
    ]) },
    { ...symlink("d/link", "caf\xe9"), uid: 7, mtimeNs: -5n },
    { name: "d/fifo", type: "fifo", mode: 0o620 },
    { name: "d/null", type: "char", devMajor: 1, devMinor: 300, mode: 0o666 },
    { name: "d/sda", type: "block", devMajor: 8, devMinor: 1, mode: 0o660, gid: 6 },
    { ...file("d/\xff\xfe"), uid: 4294967294 },
  ]);
  assert.deepEqual(describeTree(root), [
    "/d 41777 5:6 1000000001 0:0 ",
    "/d/capable 100644 0:0 1600000000000000000 eA== security.capability=0100000200200000000000000000000000000000 user.b=00ff ",
    "/d/fifo 10620 0:0 1600000000000000000 0:0 ",
    "/d/link 120777 7:0 -5 caf\xe9 ",
    "/d/null 20666 0:0 1600000000000000000 1:300 ",
    "/d/sda 60660 0:6 1600000000000000000 8:1 ",
    "/d/suid 104755 1000:1000 1600000000123456789 eA== ",
    "/d/\xff\xfe 100644 4294967294:0 1600000000000000000 eA== ",
  ]);
});

test("applyLayer() keeps the times of directories that the layer does not mention", (t) => {
  const root = makeRoot(t, [{ ...dir("d"), mtimeNs: 5n }], [file("d/a"), file("new/b")], [file("d/.wh.a")]);
  assert.equal(fs.statSync(path.join(root, "d"), { bigint: true }).mtimeNs, 5n);
  assert.equal(fs.statSync(path.join(root, "new"), { bigint: true }).mtimeNs, 0n);
});

test("applyLayer() refuses more than maxBytes", (t) => {
  const root = makeRoot(t);
  const bytes = tarOf(file("a", "x".repeat(4096)));
  assert.throws(() => applyBytes(root, bytes, 4000), (error) => hasCode(error, "resource_exhausted"));
  applyBytes(root, bytes, bytes.length);
});

test("applyLayer() refuses a damaged layer", (t) => {
  const root = makeRoot(t);
  const part = partBytes(file("a", "x".repeat(4096)));
  assert.throws(() => applyBytes(root, part.subarray(0, 2000)), (error) => hasCode(error, "corrupt"));
  part[3] = 1;
  assert.throws(() => applyBytes(root, part), (error) => hasCode(error, "parse_failed"));
});

/** A tree that exercises every format that GNU tar has. */
function makeSample(dir: string): void {
  const script = `
    mkdir -p "$(printf 'd%.0s' $(seq 120))/$(printf 'e%.0s' $(seq 120))" plain "$(printf 'caf\\351')"
    (cd d*/e*; echo long > "$(printf 'f%.0s' $(seq 200))"); echo x > "$(printf 'caf\\351/\\377')"
    echo a > plain/a; ln plain/a plain/b
    ln -s "$(printf 't%.0s' $(seq 150))" plain/l; mknod plain/null c 1 3; mkfifo plain/fifo; chmod 4711 plain/a
    truncate -s 3M plain/sparse; printf middle | dd of=plain/sparse bs=1 seek=1000000 conv=notrunc 2>/dev/null
    truncate -s 1M plain/hole; setfattr -n user.x -v 0x00ff0a plain/a; chown 4294967294:3000000 plain/hole
    for i in $(seq 60); do printf x | dd of=plain/many bs=1 seek=$((i * 40000)) conv=notrunc 2>/dev/null; done
    touch -d '2020-02-03 04:05:06.123456789Z' plain/a plain; touch -d '1969-12-31 00:00:00Z' plain/hole`;
  execFileSync("bash", ["-ec", script], { cwd: dir });
}

const formats: readonly (readonly [string, readonly string[], "ns" | "s"])[] = [
  ["GNU", ["--format=gnu"], "s"],
  ["GNU with sparse files", ["--format=gnu", "--sparse"], "s"],
  ["PAX", ["--format=pax", "--xattrs"], "ns"],
  ["PAX with sparse files 1.0", ["--format=pax", "--sparse", "--xattrs"], "ns"],
  ["PAX with sparse files 0.1", ["--format=pax", "--sparse", "--sparse-version=0.1", "--xattrs"], "ns"],
  ["PAX with sparse files 0.0", ["--format=pax", "--sparse", "--sparse-version=0.0", "--xattrs"], "ns"],
];

for (const [title, options, precision] of formats) {
  test(`applyLayer() unpacks what GNU tar writes as ${title}`, (t) => {
    const base = tempDir(t);
    for (const name of ["sample", "root", "gnu"]) fs.mkdirSync(path.join(base, name));
    makeSample(path.join(base, "sample"));
    const pack = [...options, "--warning=no-timestamp", "-C", path.join(base, "sample"), "-c", "."];
    const bytes = execFileSync("tar", pack, { maxBuffer: 1e9 });
    applyBytes(path.join(base, "root"), bytes);
    const unpacked = describeTree(path.join(base, "root"));
    if (precision === "ns") assert.deepEqual(unpacked, describeTree(path.join(base, "sample")));
    const unpack = ["--xattrs", "--xattrs-include=*", "--warning=no-timestamp", "-C", path.join(base, "gnu"), "-xp"];
    execFileSync("tar", unpack, { input: bytes });
    assert.deepEqual(unpacked, describeTree(path.join(base, "gnu")));
  });
}

test("applyLayer() keeps holes as holes", (t) => {
  const base = tempDir(t);
  fs.mkdirSync(path.join(base, "root"));
  execFileSync("truncate", ["-s", "64M", path.join(base, "hole")]);
  applyBytes(path.join(base, "root"), execFileSync("tar", ["-S", "-C", base, "-c", "hole"], { maxBuffer: 1e9 }), 1e8);
  const stat = fs.statSync(path.join(base, "root/hole"));
  assert.deepEqual([stat.size, stat.blocks], [64 * 2 ** 20, 0]);
});

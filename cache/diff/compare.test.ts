import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import { hasCode } from "../errors.js";
import { digestOf } from "../oci/digest.js";
import { lutimes } from "../sys/node.js";
import { applyBytes, describeTree, diffBytes, tarNames, tempDir } from "./diffFixture.js";

function shell(script: string, cwd: string): void {
  execFileSync("bash", ["-ec", script], { cwd, stdio: ["ignore", "ignore", "inherit"] });
}

function makeDirs(t: TestContext, ...names: readonly string[]): string[] {
  const base = tempDir(t);
  for (const name of names) fs.mkdirSync(path.join(base, name));
  return names.map((name) => path.join(base, name));
}

/** Mounts an overlay, runs a script in it and unmounts it. */
function runInOverlay(t: TestContext, lower: string, script: string): string {
  const base = tempDir(t);
  const [upper, work, merged] = ["upper", "work", "merged"].map((name) => path.join(base, name)) as [string, string, string];
  for (const dir of [upper, work, merged]) fs.mkdirSync(dir);
  const options = `lowerdir=${lower},upperdir=${upper},workdir=${work},redirect_dir=off,metacopy=off`;
  execFileSync("mount", ["-t", "overlay", "overlay", "-o", options, merged]);
  try {
    shell(script, merged);
    execFileSync("cp", ["-a", merged, path.join(base, "expected")]);
  } finally {
    execFileSync("umount", [merged]);
  }
  return base;
}

const lowerScript = `
  mkdir -p keep/sub gone opaque; echo 1 > keep/a; echo 2 > keep/sub/b; echo 3 > gone/c; echo 4 > opaque/d; echo 5 > file
  ln keep/a keep/a2; echo same > same; touch -d @5 keep/a same`;
const changes = `
  rm -r gone; rm -r opaque; mkdir opaque; echo new > opaque/n; echo changed > keep/sub/b; rm file; mkdir file; echo x > file/x
  echo h > h1; ln h1 h2; ln -s /nowhere link; mknod dev c 1 7; mkfifo fifo; chmod 700 keep; setfattr -n user.k -v v keep/a
  echo n > "$(printf 'caf\\351')"; cp /bin/true cap; setcap cap_net_raw+ep cap; chmod 4755 h1`;

test("diffLayer() of an upper layer brings the lower layer to the merged state", (t) => {
  const [lower, target] = makeDirs(t, "lower", "target") as [string, string];
  shell(lowerScript, lower);
  const base = runInOverlay(t, lower, changes);
  const { tar, output } = diffBytes({ kind: "upper", path: path.join(base, "upper"), lower: [lower] });
  assert.deepEqual([output.diffId, output.size], [digestOf(tar), tar.length]);
  execFileSync("cp", ["-a", `${lower}/.`, target]);
  applyBytes(target, tar);
  assert.deepEqual(describeTree(target).map(withoutLinks), describeTree(path.join(base, "expected")).map(withoutLinks));
  assert.deepEqual(tarNames(tar), [
    "cap", "caf\xe9", "dev", "fifo", "file/", "file/x", ".wh.gone", "h1", "h2", "keep/", "keep/a",
    "keep/sub/", "keep/sub/b", "link", "opaque/", "opaque/.wh.d", "opaque/n",
  ].sort((a, b) => (a.replace(".wh.", "") < b.replace(".wh.", "") ? -1 : 1)));
});

// Copying up one name of a hard link separates it from the other ones.
function withoutLinks(line: string): string {
  return line.replace(/ link#.*| $/, "");
}

test("diffLayer() of an upper layer leaves out directories that were only copied up", (t) => {
  const [lower] = makeDirs(t, "lower") as [string];
  shell("mkdir -p a/b c/d; touch -d @5 a/b a c/d c", lower);
  const stub = "touch a/b/stub; rm a/b/stub; touch -d @5 a/b";
  const base = runInOverlay(t, lower, stub);
  const upper = { kind: "upper", path: path.join(base, "upper"), lower: [lower] } as const;
  assert.ok(fs.existsSync(path.join(base, "upper/a/b")));
  assert.equal(diffBytes(upper).output.entries, 0);
  const changed = runInOverlay(t, lower, `${stub}; chmod 700 c/d`);
  assert.deepEqual(tarNames(diffBytes({ ...upper, path: path.join(changed, "upper") }).tar), ["c/", "c/d/"]);
});

test("diffLayer() of an upper layer sees a directory of a deeper layer only where nothing hides it", (t) => {
  const [bottom, top, upper] = makeDirs(t, "bottom", "top", "upper") as [string, string, string];
  shell("mkdir -p seen hidden/in; touch -d @5 seen hidden hidden/in", bottom);
  shell("mkdir hidden; setfattr -n trusted.overlay.opaque -v y hidden; touch -d @5 hidden", top);
  shell("mkdir -p seen hidden/in; touch -d @5 seen hidden hidden/in", upper);
  assert.deepEqual(tarNames(diffBytes({ kind: "upper", path: upper, lower: [top, bottom] }).tar), ["hidden/", "hidden/in/"]);
});

test("diffLayer() of an upper layer takes away one by one what a directory hides, in all layers below", (t) => {
  const [bottom, middle, upper] = makeDirs(t, "bottom", "middle", "upper") as [string, string, string];
  shell("mkdir -p d/sub; touch d/a d/b d/sub/s d/gone", bottom);
  shell("mkdir -p d/more; mknod d/gone c 0 0; touch d/c", middle);
  shell("mkdir -p d/sub; setfattr -n trusted.overlay.opaque -v y d; touch d/b d/new d/sub/new; mknod d/other c 0 0", upper);
  const { tar } = diffBytes({ kind: "upper", path: upper, lower: [middle, bottom] });
  assert.deepEqual(tarNames(tar), ["d/", "d/.wh.a", "d/b", "d/.wh.c", "d/.wh.more", "d/new", "d/sub/", "d/sub/new", "d/sub/.wh.s"]);
  const apart = diffBytes({ kind: "upper", path: upper, lower: [], apart: true });
  assert.ok(tarNames(apart.tar).includes("d/.wh..wh..opq"));
});

test("diffLayer() applied on a mounted overlay gives the same tree", (t) => {
  const [lower] = makeDirs(t, "lower") as [string];
  shell(lowerScript, lower);
  const base = runInOverlay(t, lower, changes);
  const { tar } = diffBytes({ kind: "upper", path: path.join(base, "upper"), lower: [lower] });
  const again = runInOverlay(t, lower, "true");
  fs.rmSync(path.join(again, "work"), { recursive: true });
  fs.mkdirSync(path.join(again, "work"));
  const merged = path.join(again, "merged");
  const options = `lowerdir=${lower},upperdir=${path.join(again, "upper")},workdir=${path.join(again, "work")}`;
  execFileSync("mount", ["-t", "overlay", "overlay", "-o", options, merged]);
  try {
    applyBytes(merged, tar);
    assert.deepEqual(describeTree(merged).map(withoutLinks), describeTree(path.join(base, "expected")).map(withoutLinks));
  } finally {
    execFileSync("umount", [merged]);
  }
});

test("diffLayer() of two trees names exactly what changed", (t) => {
  const [lower, upper, target] = makeDirs(t, "lower", "upper", "target") as [string, string, string];
  shell(`${lowerScript}; mkdir -p deep/er/est; echo z > deep/er/est/z`, lower);
  execFileSync("cp", ["-a", `${lower}/.`, upper]);
  execFileSync("cp", ["-a", `${lower}/.`, target]);
  shell("rm -r gone; mkdir new; echo 1 > new/a; ln new/a new/b; rm file; ln -s x file; setfattr -n user.k -v v same", upper);
  const times = fs.statSync(path.join(upper, "deep/er/est/z"), { bigint: true }).mtimeNs;
  fs.writeFileSync(path.join(upper, "deep/er/est/z"), "y\n");
  lutimes(path.join(upper, "deep/er/est/z"), times, times);
  const { tar } = diffBytes({ kind: "trees", lower, upper });
  assert.deepEqual(tarNames(tar), [
    "deep/", "deep/er/", "deep/er/est/", "deep/er/est/z", "file", ".wh.gone", "new/", "new/a", "new/b", "same",
  ]);
  applyBytes(target, tar);
  assert.deepEqual(describeTree(target), describeTree(upper));
  assert.equal(diffBytes({ kind: "trees", lower: target, upper }).output.entries, 0);
});

test("diffLayer() of equal trees is the empty layer", (t) => {
  const [lower, upper] = makeDirs(t, "lower", "upper") as [string, string];
  const { output } = diffBytes({ kind: "trees", lower, upper });
  assert.deepEqual(output, {
    diffId: "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef", size: 1024, entries: 0,
  });
});

test("diffLayer() clamps times", (t) => {
  const [upper, root] = makeDirs(t, "upper", "root") as [string, string];
  shell("echo a > new; echo b > old; touch -d @5.5 old", upper);
  applyBytes(root, diffBytes({ kind: "trees", lower: null, upper }, 1000).tar);
  const times = ["new", "old"].map((name) => fs.statSync(path.join(root, name), { bigint: true }).mtimeNs);
  assert.deepEqual(times, [1_000_000_000_000n, 5_500_000_000n]);
});

test("diffLayer() leaves sockets out", (t) => {
  const [lower, upper] = makeDirs(t, "lower", "upper") as [string, string];
  shell("echo a > s", lower);
  shell(`python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("s")'`, upper);
  assert.deepEqual(tarNames(diffBytes({ kind: "trees", lower, upper }).tar), [".wh.s"]);
  assert.deepEqual(tarNames(diffBytes({ kind: "upper", path: upper, lower: [] }).tar), []);
});

test("diffLayer() refuses names that a layer would take for whiteouts", (t) => {
  const [upper] = makeDirs(t, "upper") as [string];
  fs.writeFileSync(path.join(upper, ".wh.x"), "");
  assert.throws(() => diffBytes({ kind: "upper", path: upper, lower: [] }), (error) => hasCode(error, "unsupported"));
});

test("diffLayer() emits files of many chunks", (t) => {
  const [upper, root] = makeDirs(t, "upper", "root") as [string, string];
  for (const size of [2 ** 20 - 512, 2 ** 20 - 1024, 2 ** 20 + 1, 3 * 2 ** 20]) {
    fs.writeFileSync(path.join(upper, `f${size}`), Buffer.alloc(size, String(size)));
  }
  const { tar, output } = diffBytes({ kind: "trees", lower: null, upper });
  assert.equal(output.diffId, digestOf(tar));
  applyBytes(root, tar);
  assert.deepEqual(describeTree(root), describeTree(upper));
});

/** Small deterministic generator (mulberry32). */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

/** Changes a tree at random: adds, rewrites, removes, retimes. */
function mutate(root: string, random: (below: number) => number, steps: number): void {
  const names = ["a", "b", "c", "\u00e9", "x".repeat(110), "z z"];
  for (let step = 0; step < steps; step++) {
    const depth = 1 + random(4);
    const parts = Array.from({ length: depth }, () => names[random(names.length)]!);
    const parent = path.join(root, ...parts.slice(0, -1));
    if (isDirectory(parent)) mutateOne(root, path.join(parent, parts.at(-1)!), random);
  }
}

function isFile(file: string): boolean {
  return fs.lstatSync(file, { throwIfNoEntry: false })?.isFile() === true;
}

function isDirectory(file: string): boolean {
  try {
    return fs.lstatSync(file).isDirectory();
  } catch {
    return false;
  }
}

function mutateOne(root: string, file: string, random: (below: number) => number): void {
  const existing = fs.lstatSync(file, { throwIfNoEntry: false });
  const kind = random(8);
  if (existing !== undefined && (kind < 6 || !existing.isDirectory())) fs.rmSync(file, { recursive: true });
  if (kind === 0) return;
  if (kind < 4) fs.mkdirSync(file, { recursive: true, mode: 0o700 + random(64) });
  else if (kind === 4) fs.symlinkSync("target".repeat(1 + random(30)), file);
  else if (kind === 5 && isFile(path.join(root, "a"))) fs.linkSync(path.join(root, "a"), file);
  else if (!fs.existsSync(file)) fs.writeFileSync(file, "data".repeat(random(2000)));
  if (fs.lstatSync(file, { throwIfNoEntry: false }) === undefined) return;
  fs.lchownSync(file, random(3) * 3_000_000, random(5));
  lutimes(file, 0n, BigInt(random(2 ** 31)) * BigInt(1 + random(1_000_000_000)));
}

test("diffLayer() and applyLayer() carry random trees from one state to the next", (t) => {
  for (let seed = 1; seed <= 8; seed++) {
    const [lower, upper, target] = makeDirs(t, "lower", "upper", "target") as [string, string, string];
    const random = randomNumbers(seed);
    mutate(lower, random, 60);
    execFileSync("cp", ["-a", `${lower}/.`, upper]);
    execFileSync("cp", ["-a", `${lower}/.`, target]);
    mutate(upper, random, 40);
    const { tar, output } = diffBytes({ kind: "trees", lower, upper });
    assert.equal(applyBytes(target, tar).diffId, output.diffId);
    assert.deepEqual(describeTree(target).map(withoutLinks), describeTree(upper).map(withoutLinks), `seed ${seed}`);
    const full = diffBytes({ kind: "trees", lower: null, upper });
    const copy = path.join(path.dirname(upper), "copy");
    fs.mkdirSync(copy);
    applyBytes(copy, full.tar);
    assert.deepEqual(describeTree(copy), describeTree(upper), `seed ${seed}`);
    assert.equal(diffBytes({ kind: "trees", lower: null, upper: copy }).output.diffId, full.output.diffId);
  }
});

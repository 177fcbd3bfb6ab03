import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import type { ApartOutput } from "../bulk/layerJobs.js";
import { hasCode } from "../errors.js";
import { mountTree } from "../snapshot/mountTree.js";
import { applyApart } from "./apply.js";
import { applyBytes, describeTree, jobContext, tarOf, tempDir, type TarPart } from "./diffFixture.js";
import { hideBelow } from "./hideBelow.js";

const dir = (name: string, fields: Partial<TarPart> = {}): TarPart => ({ name, type: "dir", ...fields });
const file = (name: string, data = "x"): TarPart => ({ name, data });
const symlink = (name: string, linkName: string): TarPart => ({ name, type: "symlink", linkName });
const link = (name: string, linkName: string): TarPart => ({ name, type: "link", linkName });

function apart(root: string, bytes: Buffer): ApartOutput | null {
  const blob = `${root}.tar`;
  fs.mkdirSync(root);
  fs.writeFileSync(blob, bytes);
  return applyApart({ blob, root, maxBytes: 1e9 }, jobContext());
}

/** The lower layer with the upper one over it, unpacked apart, as an overlay shows them. Null when that cannot be. */
async function stacked(t: TestContext, lower: readonly TarPart[], upper: readonly TarPart[]): Promise<string[] | null> {
  const top = tempDir(t);
  const [below, own, work] = ["below", "own", "work"].map((name) => path.join(top, name)) as [string, string, string];
  fs.mkdirSync(below);
  fs.mkdirSync(work);
  applyBytes(below, tarOf(...lower));
  const applied = apart(own, tarOf(...upper));
  if (applied === null) return null;
  await using tree = await mountTree({ type: "overlay", lower: [below], upper: own, work });
  assert.equal(hideBelow({ root: tree.path, own, hidden: applied.hidden }, jobContext()), null);
  return describeTree(tree.path);
}

function inOrder(t: TestContext, lower: readonly TarPart[], upper: readonly TarPart[]): string[] {
  const root = tempDir(t);
  applyBytes(root, tarOf(...lower));
  applyBytes(root, tarOf(...upper));
  return describeTree(root);
}

const lower = [
  dir("d", { mode: 0o700, mtimeNs: 5n }), file("d/a"), file("d/b"), dir("d/s", { mtimeNs: 7n }), file("d/s/old"), dir("e"), file("e/f"), file("f"),
  symlink("l", "d"),
];

const cases: readonly (readonly [string, readonly TarPart[]])[] = [
  ["adds to directories", [dir("d", { mode: 0o755, uid: 7 }), file("d/new"), dir("n", { mtimeNs: 3n }), file("n/x")]],
  ["replaces files, directories and symlinks", [dir("d"), file("d/a", "new"), file("e"), dir("l"), file("l/x"), dir("f")]],
  ["removes what a whiteout names", [dir("d", { mtimeNs: 9n }), file("d/.wh.a"), file("d/.wh.s"), file(".wh.e"), file(".wh.none")]],
  ["keeps what its own layer wrote before a whiteout", [dir("d"), dir("d/s"), file("d/s/new"), file(".wh.d"), file("f", "2"), file(".wh.f")]],
  ["keeps what its own layer writes after a whiteout", [file(".wh.d"), file(".wh.f"), dir("d"), file("d/b", "2"), dir("d/s"), file("f", "2")]],
  ["removes lower content of an opaque directory only", [dir("d", { mtimeNs: 8n }), dir("d/s"), file("d/s/new"), file("d/.wh..wh..opq"), file("d/n")]],
  ["removes lower content of an opaque root", [file("f", "2"), file(".wh..wh..opq"), file("g")]],
  ["skips bookkeeping of aufs", [dir(".wh..wh.plnk"), file(".wh..wh.plnk/1"), file(".wh..wh.aufs"), file("a")]],
  ["follows symlinks of its own", [dir("e"), symlink("m", "/e"), file("m/x"), link("m/y", "m/x"), file("m/.wh.f")]],
  ["links its own files", [file("a"), link("b", "a"), dir("e"), link("e/f", "/a")]],
  ["takes a directory twice", [dir("d"), file("d/x"), dir("d", { mode: 0o711, mtimeNs: 4n })]],
  ["makes devices", [dir("d"), { name: "d/a", type: "char", devMajor: 1, devMinor: 3 }, { name: "e", type: "fifo" }]],
];

for (const [title, upper] of cases) {
  test(`applyApart() and hideBelow() make what applyLayer() makes: ${title}`, async (t) => {
    assert.deepEqual(await stacked(t, lower, upper), inOrder(t, lower, upper));
  });
}

const needy: readonly (readonly [string, readonly TarPart[]])[] = [
  ["a file in a directory of a lower layer", [file("d/new")]],
  ["a whiteout in a directory of a lower layer", [file("d/.wh.a")]],
  ["a file behind a symlink of a lower layer", [file("l/new")]],
  ["a file behind a symlink that leads to a lower layer", [symlink("m", "d"), file("m/new")]],
  ["a link to a file of a lower layer", [link("g", "f")]],
  ["a file that is there twice", [file("f", "1"), file("f", "2")]],
  ["a directory in place of a file of its own", [file("d"), dir("d")]],
];

for (const [title, upper] of needy) {
  test(`applyApart() gives up for ${title}`, async (t) => {
    assert.equal(await stacked(t, lower, upper), null);
  });
}

test("applyApart() says whether the layer has attributes for the root", (t) => {
  const top = tempDir(t);
  assert.equal(apart(path.join(top, "a"), tarOf(dir("./", { mode: 0o711 }), file("x")))?.root, "own");
  assert.equal(fs.statSync(path.join(top, "a")).mode & 0o7777, 0o711);
  assert.equal(apart(path.join(top, "b"), tarOf(file("x")))?.root, "inherited");
});

test("applyApart() refuses names that leave the root, and damaged layers", (t) => {
  const top = tempDir(t);
  assert.throws(() => apart(path.join(top, "a"), tarOf(file("../x"))), (error) => hasCode(error, "path_escape"));
  assert.throws(() => apart(path.join(top, "b"), tarOf(file("x")).subarray(0, 600)), (error) => hasCode(error, "corrupt"));
  assert.equal(execFileSync("ls", [top], { encoding: "utf8" }), "a\na.tar\nb\nb.tar\n");
});

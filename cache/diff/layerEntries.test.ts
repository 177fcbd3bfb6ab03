import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { digestOf } from "../oci/digest.js";
import { tempDir } from "../testing/tempDir.js";
import { firstDifference } from "./firstDifference.js";
import { layerEntries } from "./layerEntries.js";

const ctx = { tick: () => {}, emit: () => {} };

/** A tar that tar(1) makes of what a script leaves in an empty directory. */
function tarOf(dir: string, script: string, ...flags: readonly string[]): string {
  const root = path.join(dir, String(Math.random()));
  execFileSync("sh", ["-ec", `mkdir "$1" && cd "$1" && ${script}`, "sh", root]);
  execFileSync("tar", [...flags, "-C", root, "-cf", `${root}.tar`, "."]);
  return `${root}.tar`;
}

test("layerEntries() tells digests and places of the bytes, those of sparse files without a place", async () => {
  await using dir = await tempDir();
  const tar = tarOf(dir.path, "printf hello > a; ln a b; ln -s a c; truncate -s 1M s; printf x | dd of=s bs=1 seek=500000 conv=notrunc status=none", "--sparse", "--sort=name");
  const entries = new Map(layerEntries({ tar }, ctx).map((entry) => [entry.name, entry]));
  assert.equal(entries.get("./a")?.digest, digestOf("hello"));
  assert.deepEqual([entries.get("./b")?.type, entries.get("./b")?.linkName, entries.get("./b")?.digest], ["link", "./a", null]);
  const sparse = Buffer.alloc(1 << 20);
  sparse.write("x", 500_000);
  assert.deepEqual([entries.get("./s")?.digest, entries.get("./s")?.offset], [digestOf(sparse), null]);
  const offset = entries.get("./a")!.offset!;
  assert.equal(execFileSync("dd", [`if=${tar}`, "bs=1", `skip=${offset}`, "count=5", "status=none"], { encoding: "utf8" }), "hello");
});

test("firstDifference() finds the byte, across chunks and at the end of one", async () => {
  await using dir = await tempDir();
  const [a, b] = [path.join(dir.path, "a"), path.join(dir.path, "b")];
  const bytes = Buffer.alloc(3 << 20, 7);
  writeFileSync(a, bytes);
  const place = (tar: string, size = bytes.length) => ({ tar, offset: 0, size });
  for (const at of [0, 15, 16, (1 << 20) - 1, 1 << 20, bytes.length - 1]) {
    const other = Buffer.from(bytes);
    other[at] = 9;
    writeFileSync(b, other);
    const found = firstDifference({ a: place(a), b: place(b) }, ctx)!;
    assert.equal(found.at, at);
    assert.deepEqual([found.a[at - found.start], found.b[at - found.start], found.start], [7, 9, Math.max(0, at - 16)]);
  }
  assert.equal(firstDifference({ a: place(a), b: place(a) }, ctx), null);
  assert.equal(firstDifference({ a: place(a), b: place(a, 100) }, ctx)?.at, 100);
  assert.equal(firstDifference({ a: place(a, 0), b: place(a, 1) }, ctx)?.at, 0);
});

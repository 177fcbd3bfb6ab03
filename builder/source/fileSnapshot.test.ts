import assert from "node:assert/strict";
import { lstatSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { hasCode } from "../../cache/errors.js";
import { digestOf } from "../../cache/oci/digest.js";
import { withStore } from "../../cache/testing/store.js";
import { openTree } from "../ops/trees.js";
import { readFileAttributes, writeFileSnapshot } from "./fileSnapshot.js";

for (const [filename, expected] of [
  ["a/b/c.txt", "c.txt"],
  [" ../../x ", "x"],
  ["..", "download"],
  ["/", "download"],
  ["a\nb", "download"],
  ["", null],
] as const) {
  test(`readFileAttributes() calls a file ${JSON.stringify(filename)} ${expected}`, () => {
    assert.equal(readFileAttributes({ "http.filename": filename }).filename, expected);
  });
}

test("readFileAttributes() reads numbers as Go does", () => {
  assert.deepEqual(readFileAttributes({ "http.perm": "0755", "http.uid": "7", "http.gid": "0x10" }), { filename: null, mode: 0o755, uid: 7, gid: 16 });
  assert.equal(readFileAttributes({}).mode, 0o600);
  for (const text of ["-1", "x", "1.5"]) {
    assert.throws(() => readFileAttributes({ "http.uid": text }), (error) => hasCode(error, "invalid_argument"), text);
  }
});

test("writeFileSnapshot() is one file, and the same one when it is there already", async () => {
  await withStore(async (store) => {
    const bytes = Buffer.from("hello");
    const digest = digestOf(bytes);
    {
      await using ingest = await store.content.ingest("test");
      await ingest.write(bytes);
      await ingest.commit({ digest, size: bytes.length });
    }
    const file = { digest, filename: "f", mode: 0o644, uid: 1, gid: 2, mtime: 1000 };
    for (const name of ["one", "one"]) assert.equal(await writeFileSnapshot(store, file, name, {}), "one");
    await using tree = await openTree(store, { kind: "snapshot", name: "one" });
    assert.deepEqual(readdirSync(tree.path), ["f"]);
    const { mode, uid, gid, mtimeMs } = lstatSync(path.join(tree.path, "f"));
    assert.deepEqual([mode & 0o7777, uid, gid, mtimeMs], [0o644, 1, 2, 1_000_000]);
    assert.equal(readFileSync(path.join(tree.path, "f"), "utf8"), "hello");
  });
});

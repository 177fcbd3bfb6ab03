import assert from "node:assert/strict";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { mountTree } from "../../cache/snapshot/mountTree.js";
import { withStore } from "../../cache/testing/store.js";
import { tempDir } from "../../cache/testing/tempDir.js";
import { asSnapshot } from "./localCopy.js";

test("asSnapshot() copies a directory without what is ignored, and leaves snapshots alone", async () => {
  await withStore(async (store) => {
    await using dir = await tempDir();
    writeFileSync(path.join(dir.path, "a"), "a\n", { mode: 0o640 });
    writeFileSync(path.join(dir.path, "b.log"), "b\n");
    const { signal } = new AbortController();
    const ref = await asSnapshot(store, { kind: "directory", path: dir.path, ignore: ["*.log"] }, { signal });
    assert.equal(await asSnapshot(store, ref, { signal }), ref);
    await using tree = await mountTree(await store.snapshots.view(ref.name!));
    assert.equal(readFileSync(path.join(tree.path, "a"), "utf8"), "a\n");
    assert.equal(statSync(path.join(tree.path, "a")).mode & 0o777, 0o640);
    assert.throws(() => statSync(path.join(tree.path, "b.log")), /ENOENT/);
  });
});

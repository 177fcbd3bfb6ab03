import assert from "node:assert/strict";
import { mkdirSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { tempDir } from "../../cache/testing/tempDir.js";
import { realPathInRoot, resolvedInRoot } from "./rootFile.js";

test("resolvedInRoot() follows every link inside the root, realPathInRoot() all but the last", async () => {
  await using dir = await tempDir();
  const root = path.join(realpathSync(dir.path), "root");
  mkdirSync(path.join(root, "d"), { recursive: true });
  writeFileSync(path.join(root, "d/f"), "");
  for (const [name, target] of [["abs", "/d"], ["up", "../../../d/f"], ["out", path.join(root, "d")], ["loop", "loop"]] as const) {
    symlinkSync(target, path.join(root, name));
  }
  assert.equal(resolvedInRoot(root, "/abs"), path.join(root, "d"));
  assert.equal(resolvedInRoot(root, "/abs/f"), path.join(root, "d/f"));
  assert.equal(resolvedInRoot(root, "/up"), path.join(root, "d/f"));
  assert.equal(resolvedInRoot(root, "/"), root);
  for (const missing of ["/out", "/loop", "/none", "/d/f/x"]) assert.equal(resolvedInRoot(root, missing), null, missing);
  assert.equal(realPathInRoot(root, "/abs/new"), path.join(root, "d/new"));
  assert.equal(realPathInRoot(root, "/up"), path.join(root, "up"));
  assert.equal(realPathInRoot(root, "/none/new"), null);
});

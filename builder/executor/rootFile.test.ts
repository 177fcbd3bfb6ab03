import assert from "node:assert/strict";
import { mkdirSync, readFileSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { mountTree } from "../../cache/snapshot/mountTree.js";
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

test("resolvedInRoot() finds files of a detached mount, and not those of this machine", async () => {
  await using dir = await tempDir();
  const [lower, upper] = ["lower", "upper"].map((name) => path.join(dir.path, name)) as [string, string];
  mkdirSync(path.join(lower, "etc"), { recursive: true });
  mkdirSync(upper);
  writeFileSync(path.join(lower, "etc/hostname"), "inside\n");
  symlinkSync("/etc/hostname", path.join(upper, "link"));
  await using tree = await mountTree({ type: "overlay", lower: [upper, lower] });
  for (const name of ["/etc/hostname", "/link"]) assert.equal(readFileSync(resolvedInRoot(tree.path, name)!, "utf8"), "inside\n");
  assert.equal(resolvedInRoot(tree.path, "/etc/passwd"), null);
  assert.equal(readFileSync(realPathInRoot(tree.path, "/etc/hostname")!, "utf8"), "inside\n");
});

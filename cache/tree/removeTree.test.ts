import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import { test } from "node:test";
import { hasCode } from "../errors.js";
import { diskUsage } from "./diskUsage.js";
import { removeTree } from "./removeTree.js";
import { listTree, quiet, tempDir, tempTree } from "./tempTree.fixture.js";

test("removeTree() removes links rather than what they point to", () => {
  const kept = tempTree({ "x": "safe" });
  const root = tempTree({ "t/a": "1", "t/l": `-> ${kept}`, "t/d/e/": "" });
  removeTree({ path: `${root}/t` }, quiet);
  assert.deepEqual([listTree(root), listTree(kept)], [{}, { "x": "safe" }]);
  removeTree({ path: `${root}/t` }, quiet);
});

test("removeTree() removes what is deeper than a path can be long, and odd names", () => {
  const root = tempTree({ "t/": "" });
  fs.writeFileSync(Buffer.concat([Buffer.from(`${root}/t/`), Buffer.of(0xff)]), "x");
  const step = "os.mkdir('d'*200); os.chdir('d'*200); open('f','w').close()";
  const script = `import os,sys\nos.chdir(sys.argv[1])\nfor i in range(60): ${step}`;
  execFileSync("python3", ["-c", script, `${root}/t`]);
  removeTree({ path: `${root}/t` }, quiet);
  assert.deepEqual(fs.readdirSync(root), []);
});

test("removeTree() does not enter what is mounted inside", () => {
  const root = tempTree({ "t/m/": "" });
  execFileSync("mount", ["-t", "tmpfs", "tmpfs", `${root}/t/m`]);
  try {
    fs.writeFileSync(`${root}/t/m/f`, "");
    assert.throws(() => removeTree({ path: `${root}/t` }, quiet), (e) => hasCode(e, "unavailable"));
    assert.deepEqual(fs.readdirSync(`${root}/t/m`), ["f"]);
  } finally {
    execFileSync("umount", [`${root}/t/m`]);
  }
});

test("diskUsage() counts hard links once", () => {
  const root = tempTree({ "d/a": "x".repeat(10_000) });
  const before = diskUsage({ path: root }, quiet);
  fs.linkSync(`${root}/d/a`, `${root}/d/b`);
  assert.deepEqual(diskUsage({ path: root }, quiet), before);
  assert.equal(before.inodes, 3);
  assert.equal(before.bytes >= 10_000, true);
  assert.deepEqual(diskUsage({ path: `${tempDir()}/none` }, quiet), { bytes: 0, inodes: 0 });
});

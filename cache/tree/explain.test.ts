import assert from "node:assert/strict";
import { test } from "node:test";
import { explainMissing } from "./explain.js";
import { tempTree } from "./tempTree.fixture.js";

const root = tempTree({ "src/index.ts": "", "src/server.ts": "", "package.json": "", "docs/README.md": "", "secret.env": "" });

const rows: readonly [path: string, ignore: string[], closest: string | null, rule: number | null][] = [
  ["scr/", [], "src", null],
  ["scr/index.ts", [], "src/index.ts", null],
  ["scr/nothing.ts", [], "src", null],
  ["src/indx.ts", [], "src/index.ts", null],
  ["Package.json", [], "package.json", null],
  ["/pakage.json", [], "package.json", null],
  ["vendor", [], null, null],
  ["secret.env", ["*.md", "*.env"], null, 1],
  ["docs/*.md", ["docs"], null, 0],
  ["secrets.env", ["*.env"], null, null],
  ["*.go", [], null, null],
  ["[", [], null, null],
];

test("explainMissing() names the closest path or the rule that hides it", () => {
  for (const [path, ignore, closest, rule] of rows) assert.deepEqual(explainMissing(root, ignore, path), { closest, rule }, path);
});

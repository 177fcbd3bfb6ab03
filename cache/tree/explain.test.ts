import assert from "node:assert/strict";
import { symlinkSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { explainMissing, type Missing } from "./explain.js";
import { tempTree } from "./tempTree.fixture.js";

const root = tempTree({
  "src/index.ts": "", "src/server.ts": "", "package.json": "", "docs/README.md": "", "docs/api/README.md": "", "secret.env": "",
  "lib/deep/down/logo.png": "", "only-here.txt": "",
});
symlinkSync("/etc", path.join(root, "system"));
symlinkSync("loop", path.join(root, "loop"));
symlinkSync("nowhere", path.join(root, "dangling"));

const absent = (found: string | null, how: "typo" | "outside" | "elsewhere" = "typo"): Missing => ({
  kind: "absent",
  closest: found === null ? null : { path: found, how },
});
const excluded = (matches: number, ...rules: number[]): Missing => ({ kind: "excluded", rules, matches });

const rows: readonly [path: string, ignore: string[], expected: Missing][] = [
  ["scr/", [], absent("src")],
  ["scr/index.ts", [], absent("src/index.ts")],
  ["scr/nothing.ts", [], absent("src")],
  ["scr/indx.ts", [], absent("src/index.ts")],
  ["scr/*.ts", [], absent("src/*.ts")],
  ["src/indx.ts", [], absent("src/index.ts")],
  ["Package.json", [], absent("package.json")],
  ["/pakage.json", [], absent("package.json")],
  ["vendor", [], absent(null)],
  [`${path.basename(root)}/src/index.ts`, [], absent("src/index.ts", "outside")],
  ["/home/me/project/only-here.txt", [], absent("only-here.txt", "outside")],
  ["logo.png", [], absent("lib/deep/down/logo.png", "elsewhere")],
  ["api/README.MD", [], absent("docs/api/README.md", "elsewhere")],
  ["secrets.env", ["*.env"], absent(null)],
  ["*.go", [], absent(null)],
  ["[", [], absent(null)],
  ["secret.env", ["*.md", "*.env"], excluded(1, 1)],
  ["docs/*.md", ["docs"], excluded(1, 0)],
  ["src/*.ts", ["**/index.ts", "x", "src/s*"], excluded(2, 0, 2)],
  ["package.json/x", [], { kind: "not-a-directory", path: "package.json" }],
  ["dangling", [], { kind: "dangling", path: "dangling", target: "nowhere" }],
  ["system/passwd", [], { kind: "dangling", path: "system", target: "/etc" }],
  ["loop/x", [], { kind: "dangling", path: "loop", target: "loop" }],
];

for (const [asked, ignore, expected] of rows) {
  test(`explainMissing() explains "${asked.replace(path.basename(root), "<root>")}" with rules ${JSON.stringify(ignore)}`, () => {
    assert.deepEqual(explainMissing(root, ignore, asked), expected);
  });
}

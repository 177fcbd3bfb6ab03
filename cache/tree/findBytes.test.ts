import assert from "node:assert/strict";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { tempDir } from "../testing/tempDir.js";
import { findBytes } from "./findBytes.js";

const ctx = { tick: () => {}, emit: () => {} };

test("findBytes() finds each pattern once a file, across the ends of reads, and follows no links", async () => {
  await using dir = await tempDir();
  mkdirSync(path.join(dir.path, "a/b"), { recursive: true });
  const across = Buffer.alloc(3 << 20, 0x61);
  for (const at of [(1 << 20) - 3, (2 << 20) + 5]) across.write("secret", at);
  writeFileSync(path.join(dir.path, "a/b/across"), across);
  writeFileSync(path.join(dir.path, "a/both"), "other and secret");
  writeFileSync(path.join(dir.path, "a/none"), "secre");
  writeFileSync(path.join(dir.path, "empty"), "");
  symlinkSync("a/both", path.join(dir.path, "link"));
  const found = findBytes({ path: dir.path, patterns: [Buffer.from("secret"), Buffer.from("other")] }, ctx);
  assert.deepEqual(found.map((one) => `${one.path} ${one.pattern}`).sort(), ["a/b/across 0", "a/both 0", "a/both 1"]);
});

test("findBytes() finds a pattern longer than a read", async () => {
  await using dir = await tempDir();
  const pattern = Buffer.alloc(500 * 1024, "0123456789abcdef!");
  writeFileSync(path.join(dir.path, "file"), Buffer.concat([Buffer.alloc(900 * 1024), pattern, Buffer.alloc(10)]));
  assert.deepEqual(findBytes({ path: dir.path, patterns: [pattern] }, ctx), [{ path: "file", pattern: 0 }]);
});

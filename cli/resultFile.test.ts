import assert from "node:assert/strict";
import { existsSync, lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import test from "node:test";
import { hasCode } from "../cache/errors.js";
import { resultFile } from "./resultFile.js";

const dir = mkdtempSync(path.join(tmpdir(), "tbuild-result-"));
test.after(() => rmSync(dir, { recursive: true }));

test("resultFile() removes an old result at once and writes the new one whole", () => {
  const file = path.join(dir, "iid");
  writeFileSync(file, "old");
  const result = resultFile(file);
  assert.ok(!existsSync(file));
  result.write("new");
  assert.equal(readFileSync(file, "utf8"), "new");
  assert.deepEqual(readdirSync(dir), ["iid"]);
});

test("resultFile() never replaces a device, or a link to one", () => {
  const link = path.join(dir, "null");
  symlinkSync("/dev/null", link);
  resultFile(link).write("x");
  assert.ok(lstatSync(link).isSymbolicLink());
  assert.ok(lstatSync("/dev/null").isCharacterDevice());
});

test("resultFile() refuses before the build what cannot be written after it", () => {
  assert.throws(() => resultFile(path.join(dir, "none/iid")), (error) => hasCode(error, "not_found"));
  assert.throws(() => resultFile(dir), (error) => hasCode(error, "invalid_argument"));
});

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { hasCode } from "../../cache/errors.js";
import { readEnvFile, variables } from "./envFile.js";

const dir = mkdtempSync(path.join(tmpdir(), "tbuild-env-"));
after(() => rmSync(dir, { recursive: true, force: true }));

test("variables() takes values as they are, and those of the environment for names alone", () => {
  assert.deepEqual(variables(["A=1=2", "B=", "HERE", "GONE"], { HERE: "x y" }), ["A=1=2", "B=", "HERE=x y"]);
  for (const text of ["=1", "", "A B=1"]) assert.throws(() => variables([text]), (error) => hasCode(error, "usage"), text);
});

test("readEnvFile() leaves out comments and empty lines, and quotes nothing", () => {
  const file = path.join(dir, "env");
  writeFileSync(file, "\ufeff# first\n\nA='1' # all of it\r\n  B=2\nC");
  assert.deepEqual(readEnvFile(file), ["A='1' # all of it", "B=2", "C"]);
  assert.throws(() => readEnvFile(path.join(dir, "none")), (error) => hasCode(error, "not_found"));
});

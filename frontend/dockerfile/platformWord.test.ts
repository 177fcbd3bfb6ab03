import assert from "node:assert/strict";
import { test } from "node:test";
import { formatPlatform } from "../../cache/oci/platform.js";
import { hasCode, isTbuildError } from "../../cache/errors.js";
import { knownPlatform } from "./platformWord.js";

const at = { file: "Dockerfile", start: { line: 1, column: 1 }, end: { line: 1, column: 1 } };

test("knownPlatform() takes known platforms, and unknown ones that are like none", () => {
  for (const text of ["linux/amd64", "linux/arm/v7", "linux/riscv64", "linux/sparc", "freebsd/arm64"]) {
    assert.equal(formatPlatform(knownPlatform(text, at)), text);
  }
});

test("knownPlatform() proposes what a misspelt one may mean", () => {
  for (const [text, meant] of [["linux/amd46", "linux/amd64"], ["linx/arm64", "linux/arm64"], ["linux/pcp64le", "linux/ppc64le"]]) {
    assert.throws(() => knownPlatform(text!, at), (error) => isTbuildError(error) && error.hint === `Did you mean "${meant}"?`, text);
  }
});

test("knownPlatform() refuses Windows", () => {
  assert.throws(() => knownPlatform("windows/amd64", at), (error) => hasCode(error, "unsupported"));
});

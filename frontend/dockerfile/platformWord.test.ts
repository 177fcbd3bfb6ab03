import assert from "node:assert/strict";
import { test } from "node:test";
import { formatPlatform } from "../../cache/oci/platform.js";
import { hasCode, isTbuildError } from "../../cache/errors.js";
import { knownPlatform, plainPath, refuseWindows } from "./platformWord.js";

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

test("refuseWindows() refuses what means something else there", () => {
  assert.throws(() => refuseWindows("RUN", knownPlatform("windows/amd64", at), at), (error) => hasCode(error, "unsupported"));
  refuseWindows("RUN", knownPlatform("linux/amd64", at), at);
});

test("plainPath() takes the drive from a path of Windows, and nothing from others", () => {
  const windows = knownPlatform("windows/amd64", at);
  assert.equal(plainPath("C:\\a\\b", windows, at), "/a/b");
  assert.equal(plainPath("a/b", windows, at), "a/b");
  assert.equal(plainPath("C:\\a", knownPlatform("linux/amd64", at), at), "C:\\a");
  assert.throws(() => plainPath("D:\\a", windows, at), (error) => hasCode(error, "invalid_argument"));
});

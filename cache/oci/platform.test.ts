import assert from "node:assert/strict";
import test from "node:test";
import { hasCode } from "../errors.js";
import { formatPlatform, parsePlatform, platformScore } from "./platform.js";

const host = { os: "linux", architecture: "amd64" };
const rows: readonly [string, string][] = [
  ["linux/amd64", "linux/amd64"],
  ["linux/x86_64", "linux/amd64"],
  ["linux/arm64/v8", "linux/arm64"],
  ["aarch64", "linux/arm64"],
  ["linux/arm", "linux/arm/v7"],
  ["linux/arm/6", "linux/arm/v6"],
  ["linux", "linux/amd64"],
  ["amd64/v2".replace("amd64", "linux/amd64"), "linux/amd64/v2"],
  ["LINUX/AMD64", "linux/amd64"],
];

for (const [text, expected] of rows) {
  test(`parsePlatform("${text}") is ${expected}`, () => assert.equal(formatPlatform(parsePlatform(text, host)), expected));
}

for (const text of ["", "/", "linux/", "a/b/c/d", "linux/amd 64"]) {
  test(`parsePlatform("${text}") is refused`, () => {
    assert.throws(() => parsePlatform(text), (error) => hasCode(error, "invalid_argument"));
  });
}

test("platformScore() prefers the exact variant and refuses a higher one", () => {
  const v7 = parsePlatform("linux/arm/v7");
  const v6 = parsePlatform("linux/arm/v6");
  assert.ok(platformScore(v7, v7) > platformScore(v7, v6));
  assert.equal(platformScore(v6, v7), 0);
  assert.equal(platformScore(parsePlatform("linux/amd64"), v7), 0);
});

test("platforms have a version of their os, which only the same build of Windows serves", () => {
  const platform = parsePlatform("windows(10.0.20348.1006)/amd64");
  assert.deepEqual(platform, { os: "windows", architecture: "amd64", "os.version": "10.0.20348.1006" });
  assert.equal(formatPlatform(platform), "windows(10.0.20348.1006)/amd64");
  const plain = { os: "windows", architecture: "amd64" };
  assert.ok(platformScore(platform, { ...plain, "os.version": "10.0.20348.9" }) > 0);
  assert.equal(platformScore(platform, { ...plain, "os.version": "10.0.17763.1" }), 0);
  assert.ok(platformScore(plain, platform) > 0);
  for (const text of ["windows()/amd64", "windows(1", "(1)/amd64"]) assert.throws(() => parsePlatform(text), text);
});

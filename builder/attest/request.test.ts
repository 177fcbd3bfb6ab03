import assert from "node:assert/strict";
import { test } from "node:test";
import { filterArgs, requestRecord, scrubbed, withoutLogin } from "./request.js";

test("filterArgs() leaves out what depends on the machine, and logins", () => {
  const opt = { platform: "linux/arm64", "image-resolve-mode": "pull", "attest:sbom": "", target: "x", context: "https://u:p@example.com/r.git", "context:a": "https://t@example.com/f" };
  assert.deepEqual(filterArgs(opt), { target: "x", context: "https://xxxxx:xxxxx@example.com/r.git", "context:a": "https://xxxxx@example.com/f" });
});

test("requestRecord() takes the options apart that say from where the file is", () => {
  const found = { uri: "https://example.com/r.git#main:d", digest: { sha1: "1" } };
  assert.deepEqual(requestRecord("dockerfile.v0", { context: "u", filename: "F", target: "x" }, () => found), {
    configSource: { uri: found.uri, digest: { sha1: "1" }, path: "F" },
    request: { frontend: "dockerfile.v0", args: { target: "x" } },
  });
  const byKey = requestRecord("", { contextkey: "c", c: "input:x", context: "y" }, () => null);
  assert.deepEqual(byKey, { configSource: { uri: "input:x" }, request: { args: { contextkey: "c", context: "y" } } });
});

test("scrubbed() takes values out of inner requests too", () => {
  const inner = { configSource: {}, request: { args: { "label:a": "1", target: "t" }, secrets: [{ id: "s" }] } };
  assert.deepEqual(scrubbed({ frontend: "f", inputs: { a: inner }, root: inner }), {
    request: { frontend: "f", inputs: { a: { configSource: {}, request: { args: { target: "t" } } } }, root: { configSource: {}, request: { args: { target: "t" } } } },
    complete: false,
  });
});

for (const [given, shown] of [
  ["https://example.com/a", "https://example.com/a"],
  ["https://user@example.com/a", "https://xxxxx@example.com/a"],
  ["https://:pass@example.com/a", "https://:xxxxx@example.com/a"],
  ["git@example.com:a", "git@example.com:a"],
] as const) {
  test(`withoutLogin() writes ${given} as ${shown}`, () => assert.equal(withoutLogin(given), shown));
}

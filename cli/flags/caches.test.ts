import assert from "node:assert/strict";
import { test } from "node:test";
import { hasCode } from "../../cache/errors.js";
import { parseCaches } from "./caches.js";

test("parseCaches() reads buildx's forms", () => {
  assert.deepEqual(parseCaches("user/app:cache", "--cache-from"), [{ type: "registry", attrs: { ref: "user/app:cache" } }]);
  assert.deepEqual(parseCaches("a,b:1", "--cache-from"), [{ type: "registry", attrs: { ref: "a" } }, { type: "registry", attrs: { ref: "b:1" } }]);
  assert.deepEqual(parseCaches("type=local,SRC=a=b,tag=x", "--cache-from"), [{ type: "local", attrs: { src: "a=b", tag: "x" } }]);
  assert.deepEqual(parseCaches('type=registry,"ref=a,b",mode=max', "--cache-to"), [{ type: "registry", attrs: { ref: "a,b", mode: "max" } }]);
});

test("parseCaches() refuses what has no type, no key or nothing at all", () => {
  for (const text of ["", ",", "ref=a", "type=,ref=a", "type=registry,ref", "=x"]) {
    assert.throws(() => parseCaches(text, "--cache-to"), (error) => hasCode(error, "usage") && /--cache-to/.test(String(error)), text);
  }
});

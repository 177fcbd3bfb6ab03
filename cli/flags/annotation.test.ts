import assert from "node:assert/strict";
import test from "node:test";
import { hasCode } from "../../cache/errors.js";
import { parseAnnotationFlag } from "./annotation.js";

test("parseAnnotationFlag() reads a key for the manifest, or for each kind that is named", () => {
  assert.deepEqual(parseAnnotationFlag("org.Key=a=b:c"), [{ kind: "manifest", platform: null, key: "org.Key", value: "a=b:c" }]);
  assert.deepEqual(parseAnnotationFlag("index,manifest[linux/arm64]:k="), [
    { kind: "index", platform: null, key: "k", value: "" },
    { kind: "manifest", platform: { os: "linux", architecture: "arm64" }, key: "k", value: "" },
  ]);
});

test("parseAnnotationFlag() refuses what it does not understand", () => {
  for (const text of ["", "k", "=v", "index:=v", "index[linux:k=v", ":k=v", "index,:k=v"]) {
    assert.throws(() => parseAnnotationFlag(text), (error) => hasCode(error, "usage"), text);
  }
  assert.throws(() => parseAnnotationFlag("layer:k=v"), { code: "invalid_argument", message: /kind of annotation: "layer"/ });
});

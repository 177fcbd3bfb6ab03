import assert from "node:assert/strict";
import { test } from "node:test";
import { hasCode } from "../../cache/errors.js";
import { formatReference } from "../../cache/oci/reference.js";
import { digestOf } from "../../cache/oci/digest.js";
import { readAttrs } from "./attrs.js";
import { readPushAttrs, storeNames } from "./registryAttrs.js";

function read(attrs: Readonly<Record<string, string>>, pushes = false) {
  const all = readAttrs({ type: "image", attrs });
  const target = readPushAttrs(all, pushes);
  all.finish();
  return { ...target, names: target.names.map(formatReference) };
}

test("readPushAttrs() reads what BuildKit's image exporter takes", () => {
  const plain = { push: false, byDigest: false, canonical: false, insecure: false, store: true, unpack: false, names: [] };
  assert.deepEqual(read({}), plain);
  const pushed = { name: "h:1/a,h:1/b:2", push: "true", "name-canonical": "", "registry.insecure": "true", store: "false", unpack: "true" };
  assert.deepEqual(read(pushed), { push: true, byDigest: false, canonical: true, insecure: true, store: false, unpack: true, names: ["h:1/a:latest", "h:1/b:2"] });
  assert.deepEqual(read({ name: "h:1/a", "push-by-digest": "true" }, true), { ...plain, push: true, byDigest: true, names: ["h:1/a"] });
  assert.throws(() => read({ "dangling-name-prefix": "p" }), (error) => hasCode(error, "invalid_argument"));
});

test("readPushAttrs() refuses names that cannot be pushed to", () => {
  const refused = { "": {}, "h:1/a:1": { "push-by-digest": "true" }, [`h:1/a@${digestOf("x")}`]: {} };
  for (const [name, attrs] of Object.entries(refused)) {
    assert.throws(() => read({ name, ...attrs }, true), (error) => hasCode(error, "invalid_argument"), name);
  }
});

test("storeNames() leaves the tag of what is pushed by digest alone", () => {
  const digest = digestOf("x");
  const names = (attrs: Readonly<Record<string, string>>) => storeNames(readPushAttrs(readAttrs({ type: "image", attrs }), true), digest);
  assert.deepEqual(names({ name: "h:1/a:1" }), ["h:1/a:1"]);
  assert.deepEqual(names({ name: "h:1/a:1", "name-canonical": "true" }), ["h:1/a:1", `h:1/a:1@${digest}`]);
  assert.deepEqual(names({ name: "h:1/a", "push-by-digest": "true" }), [`h:1/a@${digest}`]);
});

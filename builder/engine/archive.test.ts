import assert from "node:assert/strict";
import { test } from "node:test";
import { digestOf } from "../../cache/oci/digest.js";
import { commonLayers } from "./archive.js";

const [a, b, c] = ["a", "b", "c"].map((text) => digestOf(text)) as [ReturnType<typeof digestOf>, ReturnType<typeof digestOf>, ReturnType<typeof digestOf>];

test("commonLayers() counts the longest beginning that an image has", () => {
  assert.equal(commonLayers([a, b, c], []), 0);
  assert.equal(commonLayers([a, b, c], [[a], [a, b], [b, c], [c, b, a]]), 2);
  assert.equal(commonLayers([a, b], [[a, b, c]]), 2);
  assert.equal(commonLayers([], [[a]]), 0);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { digestOf } from "../../cache/oci/digest.js";
import { alignLayers, layerHistory } from "./alignLayers.js";

const digests = (text: string) => [...text].map((letter) => digestOf(letter));
const aligned = (image: string, rebuilt: string) => alignLayers(digests(image), digests(rebuilt)).map((pair) => [pair.image, pair.rebuilt]);

test("alignLayers() pairs layers that differ one by one where there are as many", () => {
  assert.deepEqual(aligned("abc", "abc"), []);
  assert.deepEqual(aligned("abcd", "axcy"), [[[1], [1]], [[3], [3]]]);
});

test("alignLayers() takes those between equal ones together where there are more of one side", () => {
  assert.deepEqual(aligned("abz", "axyz"), [[[1], [1, 2]]]);
  assert.deepEqual(aligned("ab", "abc"), [[[], [2]]]);
  assert.deepEqual(aligned("aa", "a"), [[[1], []]]);
  assert.deepEqual(aligned("", "a"), [[[], [0]]]);
});

test("layerHistory() leaves out lines without a layer, and counts from the end", () => {
  const history = [{ created_by: "ENV", empty_layer: true }, { created_by: "COPY" }, { created_by: "RUN" }];
  const texts = (layers: string) => layerHistory({ rootfs: { type: "layers", diff_ids: digests(layers) }, history }).map((line) => line?.created_by);
  assert.deepEqual(texts("ab"), ["COPY", "RUN"]);
  assert.deepEqual(texts("xab"), [undefined, "COPY", "RUN"]);
});

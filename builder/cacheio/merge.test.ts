import assert from "node:assert/strict";
import { test } from "node:test";
import { digestOf, type Digest } from "../../cache/oci/digest.js";
import { mergeCaches } from "./merge.js";
import { cacheAssembly, chainOf, type SharedCache } from "./sharedCache.js";

const NOW = Date.parse("2026-06-15T12:00:00Z");
const daysAgo = (days: number): string => new Date(NOW - days * 86_400_000).toISOString();
const options = { now: NOW, lost: new Set<Digest>(), prefer: "theirs" as const };

/** A cache of results, each a chain of layers by name; "~" is a key alone. */
function cache(results: Readonly<Record<string, readonly string[] | "~">>, { at = daysAgo(0), packer = "gzip" } = {}): SharedCache {
  const assembly = cacheAssembly();
  for (const [name, chain] of Object.entries(results)) {
    const layers = chain === "~" ? [] : chain;
    const blob = (layer: string) => ({ mediaType: "tar", digest: digestOf(`${packer} ${layer}`), size: 1 });
    const top = layers.reduce((parent, layer) => assembly.layer({ parent, blob: blob(layer), diffId: digestOf(layer), createdAt: at }), -1);
    assembly.record({ key: digestOf(name), canonical: digestOf(name), outputs: chain === "~" ? null : [top], createdAt: at });
  }
  return assembly.done();
}

const diffIds = (merged: SharedCache, name: string): readonly string[] | null => {
  const outputs = merged.records.find(({ key }) => key === digestOf(name))?.outputs;
  return outputs == null ? null : chainOf(merged, outputs[0]!).map(({ diffId }) => diffId);
};
const named = (...names: readonly string[]): readonly string[] => names.map((name) => digestOf(name));

test("mergeCaches() keeps the results of both, and layers that they have in common once", () => {
  const merged = mergeCaches(cache({ a: ["base", "a"], x: ["base"] }), cache({ b: ["base", "b"] }), options);
  assert.equal(merged.layers.length, 3);
  assert.deepEqual([diffIds(merged, "a"), diffIds(merged, "b"), diffIds(merged, "x")], [named("base", "a"), named("base", "b"), named("base")]);
});

test("mergeCaches() changes nothing when nothing is new, for a day", () => {
  const old = cache({ a: ["base", "a"], k: "~" }, { at: daysAgo(0.9) });
  assert.deepEqual(mergeCaches(old, cache({ a: ["base", "a"], k: "~" }), options), old);
  const older = cache({ a: ["base", "a"] }, { at: daysAgo(1.1) });
  assert.equal(mergeCaches(older, cache({ a: ["base", "a"] }), options).records[0]?.createdAt, daysAgo(0));
});

test("mergeCaches() takes the newer result of a key, and no key alone for a result", () => {
  const merged = mergeCaches(cache({ a: ["old"], b: ["b"] }), cache({ a: ["new"], b: "~" }), options);
  assert.deepEqual([diffIds(merged, "a"), diffIds(merged, "b")], [named("new"), named("b")]);
  assert.deepEqual(merged.layers.map(({ diffId }) => diffId).sort(), [...named("b", "new")].sort(), "layers of the old one are gone");
});

test("mergeCaches() leaves out what nobody has exported for a month", () => {
  const merged = mergeCaches(cache({ a: ["a"], b: ["b", "c"] }, { at: daysAgo(31) }), cache({ a: ["a"] }), options);
  assert.deepEqual(merged.records.map(({ key }) => key), [digestOf("a")]);
  assert.equal(merged.layers.length, 1);
});

test("mergeCaches() leaves out what needs a blob that is lost, unless we have it", () => {
  const lost = new Set([digestOf("gzip base")]);
  const merged = mergeCaches(cache({ a: ["base", "a"], b: ["b"], k: "~" }), cache({ c: ["base", "c"] }), { ...options, lost });
  assert.deepEqual([diffIds(merged, "a"), diffIds(merged, "b"), diffIds(merged, "c")], [null, named("b"), named("base", "c")]);
  assert.equal(merged.records.length, 3);
});

test("mergeCaches() keeps their blobs, or puts ours in their place", () => {
  const theirs = cache({ a: ["base"] });
  const ours = cache({ a: ["base"], b: ["base", "b"] }, { packer: "zstd" });
  assert.deepEqual(mergeCaches(theirs, ours, options).layers.map(({ blob }) => blob.digest), [digestOf("gzip base"), digestOf("zstd b")]);
  const forced = mergeCaches(theirs, ours, { ...options, prefer: "ours" });
  assert.deepEqual(forced.layers.map(({ blob }) => blob.digest), [digestOf("zstd base"), digestOf("zstd b")]);
});

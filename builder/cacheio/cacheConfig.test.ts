import assert from "node:assert/strict";
import { test } from "node:test";
import { hasCode } from "../../cache/errors.js";
import { digestOf } from "../../cache/oci/digest.js";
import { encodeCacheConfig, encodeInlineRecords, parseCacheConfig, parseInlineRecords } from "./cacheConfig.js";
import { cacheAssembly, chainOf, type CacheLayer } from "./sharedCache.js";
import { packType, treeType } from "./sharedMounts.js";

const at = "2026-01-02T03:04:05.000Z";
const layer = (name: string, parent: number): CacheLayer => ({
  parent,
  blob: { mediaType: "application/vnd.oci.image.layer.v1.tar+gzip", digest: digestOf(`blob ${name}`), size: name.length },
  diffId: digestOf(name),
  createdAt: at,
});

function sample() {
  const assembly = cacheAssembly();
  const base = assembly.layer(layer("base", -1));
  const app = assembly.layer(layer("app", base));
  const other = assembly.layer(layer("other", -1));
  const add = (name: string, outputs: readonly number[] | null) => assembly.record({ key: digestOf(name), canonical: digestOf(`${name}!`), outputs, createdAt: at });
  add("one", [app]);
  add("two", [base, other]);
  add("empty", [-1]);
  add("key", null);
  return assembly.done();
}
const blobs = sample().layers.map(({ blob }) => blob);

test("parseCacheConfig() reads what encodeCacheConfig() writes", () => {
  assert.deepEqual(parseCacheConfig(encodeCacheConfig(sample()), blobs, "it"), sample());
  assert.deepEqual(parseCacheConfig(encodeCacheConfig(sample()), null, "it"), sample());
});

test("parseCacheConfig() reads mounts, and refuses those that are nowhere", () => {
  const tree = { mediaType: treeType, digest: digestOf("tree"), size: 4 };
  const mount = { key: "a".repeat(64), id: "npm", bytes: 7, createdAt: at, tree, packs: [{ mediaType: packType, digest: digestOf("pack"), size: 4 }] };
  const cache = { ...sample(), mounts: [mount] };
  assert.deepEqual(parseCacheConfig(encodeCacheConfig(cache), blobs, "it"), cache);
  const nonsense = [{ ...mount, key: "../a" }, { ...mount, id: 7 }, { ...mount, bytes: -1 }, { ...mount, tree: null }, { ...mount, packs: 7 }, { ...mount, packs: [{ digest: "x", size: 1 }] }, { ...mount, packs: [{ ...tree, size: 1e12 }] }];
  for (const one of nonsense) {
    const bytes = Buffer.from(JSON.stringify({ layers: [], records: [], tbuild: { mounts: [one] } }));
    assert.throws(() => parseCacheConfig(bytes, null, "it"), (error) => hasCode(error, "corrupt"), JSON.stringify(one));
  }
});

test("encodeCacheConfig() writes the fields of BuildKit's format, of which Go leaves out zeros", () => {
  const { layers, records } = JSON.parse(encodeCacheConfig(sample()).toString()) as { layers: { parent?: number; blob: string; annotations: object }[]; records: object[] };
  assert.deepEqual(layers.map(({ parent }) => parent), [-1, undefined, -1]);
  assert.deepEqual(Object.keys(layers[0]!.annotations), ["mediaType", "diffID", "size", "createdAt"]);
  assert.deepEqual(records[0], { layers: [{ layer: 1, createdAt: at }], digest: digestOf("one"), tbuild: { canonical: digestOf("one!"), outputs: [1], createdAt: at } });
});

test("parseCacheConfig() passes over records of other engines, and results without their blobs", () => {
  const foreign = { layers: [{ blob: digestOf("x"), parent: -1 }], records: [{ digest: digestOf("k"), layers: [{ layer: 0 }], inputs: [[{ link: 0 }]] }] };
  assert.deepEqual(parseCacheConfig(Buffer.from(JSON.stringify(foreign)), [], "it"), { layers: [], records: [] });
  const read = parseCacheConfig(encodeCacheConfig(sample()), blobs.slice(1), "it");
  assert.deepEqual(read.records.map(({ outputs }) => outputs), [null, null, [-1], null]);
});

test("parseCacheConfig() takes layers in any order and refuses what points nowhere", () => {
  const { layers, records } = JSON.parse(encodeCacheConfig(sample()).toString()) as { layers: object[]; records: object[] };
  const turned = { layers: [{ ...layers[1], parent: 1 }, layers[0], layers[2]], records: [{ digest: digestOf("one"), tbuild: { canonical: digestOf("one!"), outputs: [0] } }] };
  const read = parseCacheConfig(Buffer.from(JSON.stringify(turned)), blobs, "it");
  assert.deepEqual(chainOf(read, read.records[0]!.outputs![0]!).map(({ diffId }) => diffId), [digestOf("base"), digestOf("app")]);
  const bad = (value: object) => assert.throws(() => parseCacheConfig(Buffer.from(JSON.stringify(value)), blobs, "it"), (error) => hasCode(error, "corrupt"));
  bad({ layers: [{ ...layers[0], parent: 7 }] });
  bad({ layers: [{ ...layers[0], parent: 1 }, { ...layers[1], parent: 0 }] });
  bad({ layers, records: [{ digest: digestOf("one"), tbuild: { canonical: digestOf("one!"), outputs: [9] } }] });
  bad({ layers, records: [{ digest: digestOf("one"), tbuild: { canonical: "no key", outputs: [0] } }] });
  bad({ layers: {}, records });
  assert.throws(() => parseCacheConfig(Buffer.from("{"), blobs, "it"), (error) => hasCode(error, "corrupt"));
});

test("parseInlineRecords() reads results as layers of the image, whatever their order", () => {
  const cache = sample();
  const image = [cache.layers[0]!, cache.layers[1]!, cache.layers[2]!];
  const bytes = encodeInlineRecords(cache, (one) => image.indexOf(one));
  const text = bytes.toString();
  assert.match(text, /"layers":\[{"layer":1/);
  assert.match(text, /\[0,\[2\]\]/, "a chain that is no beginning of the image's is told layer by layer");
  const read = parseInlineRecords(bytes, image, "it");
  const chains = read.records.map(({ outputs }) => outputs?.map((top) => chainOf(read, top).map(({ diffId }) => diffId)) ?? null);
  const [base, app, other] = ["base", "app", "other"].map((name) => digestOf(name));
  assert.deepEqual(chains, [[[base, app]], [[base], [other]], [[]], null]);
});

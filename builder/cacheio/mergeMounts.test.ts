import assert from "node:assert/strict";
import { test } from "node:test";
import { type Digest, digestOf } from "../../cache/oci/digest.js";
import { mergeMounts } from "./mergeMounts.js";
import { packType, type SharedMount, treeType } from "./sharedMounts.js";

const NOW = Date.parse("2026-06-15T12:00:00Z");
const options = { now: NOW, lost: new Set<Digest>() };

function mount(id: string, content: string, { days = 0, packs = 1 } = {}): SharedMount {
  const blob = (mediaType: string, text: string) => ({ mediaType, digest: digestOf(text), size: text.length });
  return {
    key: id,
    id,
    bytes: content.length,
    createdAt: new Date(NOW - days * 86_400_000).toISOString(),
    tree: blob(treeType, `tree ${content}`),
    packs: Array.from({ length: packs }, (_, index) => blob(packType, `pack ${content} ${index}`)),
  };
}

test("mergeMounts() keeps what either has, and takes ours for a mount of both", () => {
  const [theirs, other, ours] = [mount("a", "old"), mount("b", "b"), mount("a", "new")];
  assert.deepEqual(mergeMounts([theirs, other], [ours, mount("c", "c")], options), [ours, other, mount("c", "c")]);
});

test("mergeMounts() makes the same of equal mounts for a day", () => {
  assert.deepEqual(mergeMounts([mount("a", "x", { days: 0.9 })], [mount("a", "x")], options), [mount("a", "x", { days: 0.9 })]);
  assert.deepEqual(mergeMounts([mount("a", "x", { days: 1 })], [mount("a", "x")], options), [mount("a", "x")]);
});

test("mergeMounts() leaves out what was lost, what is old, and what would not fit", () => {
  const lost = new Set([mount("a", "x").packs[0]!.digest]);
  assert.deepEqual(mergeMounts([mount("a", "x")], [], { ...options, lost }), []);
  assert.deepEqual(mergeMounts([mount("a", "x", { days: 30 }), mount("b", "y", { days: 29 })], [], options), [mount("b", "y", { days: 29 })]);
  const large = (id: string, days: number) => mount(id, id, { days, packs: 5000 });
  assert.deepEqual(mergeMounts([large("a", 2), large("b", 1)], [mount("c", "c")], options).map(({ id }) => id), ["b", "c"]);
});

import assert from "node:assert/strict";
import test from "node:test";
import { hasCode } from "../../cache/errors.js";
import { type FilterKey, parseImageFilter } from "./imageFilter.js";

const KEYS: readonly FilterKey[] = ["dangling", "reference", "label", "label!", "before", "since", "until"];
const NOW = Date.parse("2024-05-06T00:00:00Z");
const parse = (...texts: string[]) => parseImageFilter(texts, KEYS, NOW);

test("parseImageFilter() reads every key, several times", () => {
  const filter = parse("dangling=1", "label=a", "label=b=c=d", "label!=e=", "before=x:1", "since=y", "before=z");
  assert.equal(filter.dangling, true);
  assert.deepEqual(filter.labels, [
    { key: "a", value: null, wanted: true },
    { key: "b", value: "c=d", wanted: true },
    { key: "e", value: "", wanted: false },
  ]);
  assert.deepEqual([filter.before, filter.since], [["x:1", "z"], ["y"]]);
});

test("parseImageFilter() has patterns whose star stops at a slash", () => {
  const [matches] = parse("reference=loc*/app:v?").references;
  assert.deepEqual(["localhost/app:v1", "localhost/x/app:v1", "localhost/app:v10"].map(matches!), [true, false, false]);
});

test("parseImageFilter() takes durations and times for until", () => {
  assert.equal(parse("until=24h").until, NOW - 86_400_000);
  assert.equal(parse("until=2024-01-01T00:00:00Z").until, Date.parse("2024-01-01"));
  assert.equal(parse("until=1700000000").until, 1_700_000_000_000);
});

test("parseImageFilter() refuses other keys and values", () => {
  for (const text of ["dangling=maybe", "danglin=true", "until=soon", "label", "=x", "reference="]) {
    assert.throws(() => parse(text), (error) => hasCode(error, "usage"), text);
  }
  assert.throws(() => parseImageFilter(["before=x"], ["label"], NOW), (error) => hasCode(error, "usage"));
  assert.throws(() => parse("reference=["), (error) => hasCode(error, "invalid_argument"));
});

import assert from "node:assert/strict";
import test from "node:test";
import { type GcItem, mark, planPrune } from "./gc.js";

const NONE: ReadonlySet<string> = new Set();
const NOW = 1000;

// "child>parent,blob:age:size", the age being milliseconds since the last use.
function items(...rows: readonly string[]): readonly GcItem[] {
  return rows.map((row) => {
    const [names = "", age = "0", size = "10"] = row.split(":");
    const [id = "", needs = ""] = names.split(">");
    return { id, needs: needs === "" ? [] : needs.split(","), lastUsedAt: NOW - Number(age), size: Number(size) };
  });
}

const ids = (plan: readonly GcItem[]) => plan.map(({ id }) => id).join(" ");

test("mark() reaches what roots lead to, through cycles, once", () => {
  const edges: Record<string, string[]> = { a: ["b"], b: ["c", "a"], d: ["c"] };
  assert.deepEqual([...mark(["a"], (id) => edges[id] ?? [])].sort(), ["a", "b", "c"]);
});

test("planPrune() without limits removes all that is unused, the longest unused first", () => {
  assert.equal(ids(planPrune(items("a:1", "b:3", "c:2"), NONE, {}, NOW)), "b c a");
});

test("planPrune() removes a child before its parent although the parent was used longer ago", () => {
  assert.equal(ids(planPrune(items("base:900", "mid>base:50", "top>mid:50", "other:100"), NONE, {}, NOW)), "other top mid base");
});

test("planPrune() keeps what is in use and what a refused item needs", () => {
  const all = items("base:9", "mid>base:9", "top>mid:9", "free:1");
  assert.equal(ids(planPrune(all, new Set(["top", "mid", "base"]), {}, NOW)), "free");
  assert.equal(ids(planPrune(all, NONE, {}, NOW, ({ id }) => id !== "mid")), "top free");
});

test("planPrune() stops when keepBytes are left", () => {
  assert.equal(ids(planPrune(items("a:3", "b:2", "c:1"), NONE, { keepBytes: 20 }, NOW)), "a");
  assert.equal(ids(planPrune(items("a:3", "b:2", "c:1"), NONE, { keepBytes: 30 }, NOW)), "");
});

test("planPrune() counts what is in use against the limit", () => {
  assert.equal(ids(planPrune(items("used:9:100", "a:3", "b:2"), new Set(["used"]), { keepBytes: 100 }, NOW)), "a b");
});

test("planPrune() leaves alone what was used within keepDurationMs, with what it needs", () => {
  const all = items("base:500", "young>base:5", "old:500");
  assert.equal(ids(planPrune(all, NONE, { keepDurationMs: 100 }, NOW)), "old");
});

test("planPrune() goes past keepDurationMs for the hard cap, and no further", () => {
  const all = items("a:3", "b:2", "c:1");
  assert.equal(ids(planPrune(all, NONE, { keepDurationMs: 100, maxUsedBytes: 15 }, NOW)), "a b");
  assert.equal(ids(planPrune(all, NONE, { maxUsedBytes: 30 }, NOW)), "");
});

test("planPrune() takes chains longer than the stack", () => {
  const chain = Array.from({ length: 20_000 }, (_, i) => ({ id: `${i}`, needs: [`${i + 1}`], lastUsedAt: 0, size: 1 }));
  assert.equal(planPrune(chain, NONE, {}, NOW).length, 20_000);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import type { GcItem } from "./gc.js";
import { bytesToKeep, decideByRules, type GcRule } from "./gcRules.js";

const NOW = 100_000;
const none = { matches: null, keepDurationMs: 0, reservedBytes: 0, maxUsedBytes: 0, minFreeBytes: 0 };
type Rule = GcRule<GcItem>;

// "child>parent:age:size"
function items(...rows: readonly string[]): readonly GcItem[] {
  return rows.map((row) => {
    const [names = "", age = "0", size = "10"] = row.split(":");
    const [id = "", needs = ""] = names.split(">");
    return { id, needs: needs === "" ? [] : needs.split(","), lastUsedAt: NOW - Number(age), size: Number(size) };
  });
}

function decide(all: readonly GcItem[], rules: readonly Rule[], { used = "", free = 1000 } = {}): string {
  const decisions = decideByRules(all, rules, { inUse: new Set(used.split(" ")), now: NOW, free });
  return decisions.map(({ item, rule, verdict }) => `${item.id}:${verdict.kind}${verdict.kind === "remove" ? rule : ""}`).join(" ");
}

const limits: readonly (readonly [string, Partial<Rule>, number, number, number | null])[] = [
  ["no limit", {}, 100, 0, null],
  ["a cap", { maxUsedBytes: 50 }, 100, 0, 50],
  ["a reserve alone is what stays", { reservedBytes: 70 }, 100, 0, 70],
  ["a reserve above the cap", { reservedBytes: 70, maxUsedBytes: 50 }, 100, 0, 70],
  ["enough is free", { minFreeBytes: 30 }, 100, 40, 100],
  ["too little is free", { minFreeBytes: 30 }, 100, 10, 80],
  ["too little is free, below the cap", { minFreeBytes: 30, maxUsedBytes: 90 }, 100, 10, 80],
  ["too little is free, above the cap", { minFreeBytes: 30, maxUsedBytes: 60 }, 100, 10, 60],
  ["too little is free, but for the reserve", { minFreeBytes: 300, reservedBytes: 20 }, 100, 0, 20],
];

test("bytesToKeep() is what BuildKit keeps", () => {
  for (const [name, rule, used, free, expected] of limits) assert.equal(bytesToKeep({ ...none, ...rule }, used, free), expected, name);
});

test("decideByRules() gives each rule what those before have left", () => {
  const all = items("old:900", "mid:50", "new:1");
  const rules = [{ ...none, keepDurationMs: 500 }, { ...none, maxUsedBytes: 10 }];
  assert.equal(decide(all, rules), "old:remove0 mid:remove1 new:within-limit");
  assert.equal(decide(all, rules.slice(0, 1)), "old:remove0 mid:young new:young");
});

test("decideByRules() counts for a rule about some things these alone", () => {
  const all = items("cache1:9", "cache2:5", "layer:20:1000");
  const about = ({ id }: GcItem) => id.startsWith("cache");
  assert.equal(decide(all, [{ ...none, matches: about, maxUsedBytes: 10 }]), "cache1:remove0 layer:not-meant cache2:within-limit");
  assert.equal(decide(all, [{ ...none, matches: about, maxUsedBytes: 20 }]), "layer:not-meant cache1:within-limit cache2:within-limit");
});

test("decideByRules() keeps what is in use and what it needs, and says by whom it is needed", () => {
  const all = items("base:9", "top>base:9", "free:9");
  assert.equal(decide(all, [none], { used: "top" }), "free:remove0 top:in-use base:needed");
});

test("decideByRules() takes what rules remove as free for later ones", () => {
  const all = items("a:900:100", "b:5:100", "c:1:100");
  const rules = [{ ...none, keepDurationMs: 500 }, { ...none, minFreeBytes: 150 }];
  assert.equal(decide(all, rules, { free: 60 }), "a:remove0 b:within-limit c:within-limit");
  assert.equal(decide(all, rules, { free: 0 }), "a:remove0 b:remove1 c:within-limit");
});

test("decideByRules() without rules removes nothing", () => {
  assert.equal(decide(items("a:9"), []), "a:not-meant");
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { formatDuration, joinHistory, quotedCharacter, quotedList, runText } from "./history.js";
import { layeredMap } from "./layeredMap.js";

test("formatDuration() prints as Go does", () => {
  const cases: readonly (readonly [number, string])[] = [
    [0, "0s"],
    [15, "15ns"],
    [1_500, "1.5µs"],
    [250_000_000, "250ms"],
    [1_500_000_000, "1.5s"],
    [90_000_000_000, "1m30s"],
    [3_600_000_000_000, "1h0m0s"],
    [5_400_500_000_000, "1h30m0.5s"],
  ];
  for (const [nanoseconds, text] of cases) assert.equal(formatDuration(nanoseconds), text);
});

test("quotedList() quotes words as Go's %q does", () => {
  assert.equal(quotedList(["a b", 'c"d', "\n", "\u0001", "é"]), '["a b" "c\\"d" "\\n" "\\x01" "é"]');
  assert.equal(quotedList([]), "[]");
});

test("runText() shows each ARG once, with the value that the step saw", () => {
  const args = [
    { key: "A", value: "old" },
    { key: "B", value: null },
    { key: "A", value: "new" },
  ];
  const text = runText(["/bin/sh", "-c", "x"], args, layeredMap([["A", "env"]]));
  assert.equal(text, "RUN |2 A=env B= /bin/sh -c x # buildkit");
});

test("quotedCharacter() prints a number as Go's %q does", () => {
  assert.deepEqual([0, 4, 10, 39, 65, 92].map(quotedCharacter), ["'\\x00'", "'\\x04'", "'\\n'", "'\\''", "'A'", "'\\\\'"]);
});

test("joinHistory() puts the entries of a stage after those of its base, oldest first", () => {
  const [base, first, second] = ["base", "first", "second"].map((text) => ({ created_by: text }));
  const list = { entry: second!, before: { entry: first!, before: null } };
  assert.deepEqual(joinHistory([base!], list), [base, first, second]);
  assert.deepEqual(joinHistory([base!], null), [base]);
});

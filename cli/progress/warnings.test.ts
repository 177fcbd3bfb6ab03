import assert from "node:assert/strict";
import test from "node:test";
import type { Warning } from "../../solver/progress.js";
import { warningSummary } from "./warnings.js";

const at = { file: "Dockerfile", start: { line: 3, column: 5 }, end: { line: 3, column: 9 } };
const found: Warning = { rule: "UndefinedVar", message: "Usage of undefined variable '$X'", detail: "", url: null, at };
const general: Warning = { rule: null, message: "Build argument \"A\"\u001b[31m", detail: "", url: null, at: null };

test("warningSummary() lists rule, place and message of each warning once", () => {
  const expected = "\n2 warnings:\n - UndefinedVar: Dockerfile:3:5: Usage of undefined variable '$X'\n - Build argument \"A\"\n";
  assert.equal(warningSummary([found, general, found]), expected);
});

test("warningSummary() says nothing when there is nothing to say, and counts one as one", () => {
  assert.equal(warningSummary([]), "");
  assert.match(warningSummary([found]), /^\n1 warning:\n/);
});

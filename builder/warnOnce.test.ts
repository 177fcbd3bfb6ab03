import assert from "node:assert/strict";
import { test } from "node:test";
import type { Warning } from "../solver/progress.js";
import { warnOnce } from "./warnOnce.js";

test("warnOnce() tells equal warnings once, also when they come later", () => {
  const told: unknown[] = [];
  const warn = warnOnce((event) => told.push(event.type === "warning" ? event.warning.message : event));
  const warning = (message: string): Warning => ({ rule: null, message, detail: "", url: null, at: null });
  warn([warning("a"), warning("b"), warning("a")]);
  warn([warning("b"), warning("c")]);
  assert.deepEqual(told, ["a", "b", "c"]);
});

import assert from "node:assert/strict";
import test from "node:test";
import { formatTable } from "./table.js";

test("formatTable() aligns columns and leaves no blanks at the end of lines", () => {
  assert.equal(formatTable(["A", "LONG"], [["value", "x"], ["", ""]]), "A       LONG\nvalue   x\n        \n".replace(/ +\n/g, "\n"));
});

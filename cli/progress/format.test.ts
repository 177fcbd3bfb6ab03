import assert from "node:assert/strict";
import test from "node:test";
import { formatBytes } from "../../cache/formatBytes.js";
import { formatAmount, printable } from "./format.js";

test("formatBytes() uses powers of 1000", () => {
  assert.deepEqual([0, 999, 1000, 12_345, 1e9, 5e15].map(formatBytes), ["0B", "999B", "1.00kB", "12.3kB", "1.00GB", "5000.0TB"]);
});

test("formatAmount() leaves out an unknown total", () => {
  assert.equal(formatAmount(1500, 3000), "1.50kB / 3.00kB");
  assert.equal(formatAmount(1500, 0), "1.50kB");
});

test("printable() takes out what could move the cursor", () => {
  assert.equal(printable("\u001b[31mred\u001b[0m \u001b[2J\u001b[10;10Hx\u001b[?25h"), "red x");
  assert.equal(printable("\u001b]0;title\u0007a\u001b]8;;http://x\u001b\\b\u001bc"), "ab");
  assert.equal(printable("a\u0008\u0000b\u009b31mc\u202ed"), "ab31mcd");
  assert.equal(printable("a\tb\nc"), "a    b c");
});

test("printable() shows the last state of a line that was overwritten", () => {
  assert.equal(printable("10%\r50%\r100%"), "100%");
  assert.equal(printable("50%\r"), "50%");
});

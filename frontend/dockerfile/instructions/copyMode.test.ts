import assert from "node:assert/strict";
import { test } from "node:test";
import { hasCode } from "../../../cache/errors.js";
import { parseMode } from "./copyMode.js";

const at = { file: "Dockerfile", start: { line: 1, column: 1 }, end: { line: 1, column: 1 } };

test("parseMode() reads octal and symbolic modes", () => {
  assert.deepEqual(parseMode("", at), { mode: -1, modeStr: "" });
  assert.deepEqual(parseMode("0", at), { mode: 0, modeStr: "" });
  assert.deepEqual(parseMode("07777", at), { mode: 0o7777, modeStr: "" });
  for (const text of ["u+x", "a=rX,go-w", "=r", "g=u", "+t", "u=rwx,u-x+s"]) {
    assert.deepEqual(parseMode(text, at), { mode: 0, modeStr: text });
  }
});

test("parseMode() refuses what is neither", () => {
  for (const text of ["8", "17777", "rwx", "u", "u+q", "u+x,", "0x1"]) {
    assert.throws(() => parseMode(text, at), (error) => hasCode(error, "invalid_argument"), text);
  }
});

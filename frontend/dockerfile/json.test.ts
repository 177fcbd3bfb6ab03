import assert from "node:assert/strict";
import test from "node:test";
import { readJsonForm } from "./json.js";

const rows: readonly [string, readonly string[] | "text" | "not-strings"][] = [
  ["[]", []],
  ['["a", "b c"]', ["a", "b c"]],
  [' \t["\\u0041\\n"]', ["A\n"]],
  ['["a"] x', "text"],
  ["['a']", "text"],
  ['["a",]', "text"],
  ["[ -f x ] && true", "text"],
  ["{}", "text"],
  ["", "text"],
  ["[1]", "not-strings"],
  ['["a", null]', "not-strings"],
  ['[["a"]]', "not-strings"],
];

for (const [text, expected] of rows) {
  test(`readJsonForm(${text})`, () => {
    const form = readJsonForm(text);
    assert.deepEqual(form.kind === "strings" ? form.values : form.kind, expected);
  });
}

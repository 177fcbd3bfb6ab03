import assert from "node:assert/strict";
import { test } from "node:test";
import { hasCode } from "../../cache/errors.js";
import { parseFilters } from "./filter.js";

const values: Readonly<Record<string, string>> = { id: "blob:sha256:ab", type: "regular", inuse: "", "labels.com.example/a": "b,c" };
const read = (field: string) => values[field] ?? null;

const cases: readonly (readonly [readonly string[], boolean])[] = [
  [[], true],
  [["id==blob:sha256:ab"], true],
  [["id==x"], false],
  [["id!=x"], true],
  [["type~=^reg"], true],
  [["type~=^gul"], false],
  [["inuse"], true],
  [["shared"], false],
  [["type==regular,inuse"], true],
  [["type==regular,shared"], false],
  [["shared", "inuse"], true],
  [['labels."com.example/a"=="b,c"'], true],
  [["nothing!=x"], true],
  [[""], true],
];

test("parseFilters() lets through what any filter wants, and each filter all that it says", () => {
  for (const [filters, expected] of cases) assert.equal(parseFilters(filters)(read), expected, filters.join(" | "));
});

test("parseFilters() refuses what it does not understand", () => {
  for (const text of ["==x", "id==", "id=x", "id~=(", 'id=="a', "id==a b", "inuse extra", "9a"]) {
    assert.throws(() => parseFilters([text]), (error) => hasCode(error, "invalid_argument"), text);
  }
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { hasCode } from "../../cache/errors.js";
import { queryRecords } from "./recordFilter.js";
import { testRecord } from "./testRecord.js";

const HOUR = 3_600_000;
const NOW = Date.parse("2026-01-02T12:00:00Z");
const records = [
  testRecord("done", { createdAt: NOW - 3 * HOUR, completedAt: NOW - 2 * HOUR, frontendAttrs: { "vcs:source": "https://git.example/a.git" } }),
  testRecord("failed", { createdAt: NOW - 2 * HOUR, completedAt: NOW - 2 * HOUR + 500, error: { code: 2, message: "no" } }),
  testRecord("gone", { createdAt: NOW - HOUR / 2, completedAt: NOW - HOUR / 4, error: { code: 1, message: "context canceled" }, frontendAttrs: { context: "https://github.com/x/y.git#main" } }),
  testRecord("odd", { createdAt: NOW - 9 * HOUR, completedAt: NOW - 9 * HOUR, frontendAttrs: { context: "https://h/x.git?tag=a&branch=b&what=1" } }),
];

const cases: readonly (readonly [readonly string[], string])[] = [
  [[], "done failed gone odd"],
  [["status==completed"], "done odd"],
  [["status==error"], "failed"],
  [["status==canceled"], "gone"],
  [["status!=completed"], "failed gone"],
  [["ref~=^(done|odd)$"], "done odd"],
  [["status==error", "ref==done"], "done failed"],
  [["status==completed,startedAt>4h"], "done"],
  [["startedAt>1h"], "gone"],
  [["startedAt<=2h"], "done failed odd"],
  [["completedAt<2026-01-02T10:00:00Z"], "odd"],
  [["completedAt>=2026-01-02T11:00:00+01:00,completedAt<=2h"], "done failed"],
  [["duration>=15m"], "done gone"],
  [["duration<1.5s"], "failed odd"],
  [["repository==https://git.example/a.git"], "done"],
  [["repository~=github"], "gone"],
  [["repository"], "done gone"],
  [['repository=="https://git.example/a.git",ref'], "done"],
  [["nothing"], ""],
];

for (const [filter, expected] of cases) {
  test(`queryRecords() finds by ${JSON.stringify(filter)}`, () => {
    assert.equal(queryRecords(records, { filter, limit: 0 }, NOW).map(({ ref }) => ref).join(" "), expected);
  });
}

test("queryRecords() takes the youngest when there is a limit", () => {
  const found = (limit: number, filter: readonly string[] = []) => queryRecords(records, { filter, limit }, NOW).map(({ ref }) => ref);
  assert.deepEqual(found(2), ["gone", "failed"]);
  assert.deepEqual(found(9), ["gone", "failed", "done", "odd"]);
  assert.deepEqual(found(1, ["status==completed"]), ["done"]);
});

test("queryRecords() refuses what it cannot read", () => {
  for (const filter of ["startedAt>yesterday", "duration<2026-01-01T00:00:00Z", "duration<", "ref==", "ref~=[", '"']) {
    assert.throws(() => queryRecords(records, { filter: [filter], limit: 0 }, NOW), (error) => hasCode(error, "invalid_argument"));
  }
  assert.throws(() => queryRecords(records, { filter: [], limit: -1 }, NOW), (error) => hasCode(error, "invalid_argument"));
});

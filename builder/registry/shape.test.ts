import assert from "node:assert/strict";
import { test } from "node:test";
import { isPlatform, isTextList, isTextMap, withoutNulls, wrongConfigField } from "./shape.js";

test("wrongConfigField() finds the first field of another type, and takes null for nothing", () => {
  const good = { architecture: "amd64", history: [{ created_by: "x", empty_layer: true }], config: { Env: ["A=b"], Cmd: null, Labels: { a: "b" } } };
  assert.equal(wrongConfigField(good), null);
  assert.equal(wrongConfigField({ history: null, config: null }), null);
  const cases: readonly (readonly [object, string])[] = [
    [{ architecture: 5 }, "architecture"],
    [{ config: [] }, "config"],
    [{ history: [5] }, "history"],
    [{ config: { Env: "A=b" } }, "config.Env"],
    [{ config: { Entrypoint: [5] } }, "config.Entrypoint"],
    [{ config: { Labels: { a: 1 } } }, "config.Labels"],
    [{ config: { Healthcheck: { Retries: "3" } } }, "config.Healthcheck"],
  ];
  for (const [config, field] of cases) assert.equal(wrongConfigField(config as Record<string, unknown>), field);
});

test("isPlatform(), isTextList() and isTextMap() take what descriptors may hold", () => {
  for (const value of [undefined, null, {}, { os: "linux", architecture: "arm", variant: null }]) assert.equal(isPlatform(value), true);
  for (const value of ["linux", [], { os: 5 }]) assert.equal(isPlatform(value), false);
  assert.deepEqual([isTextList(null), isTextList(["a"]), isTextList([5]), isTextList("a")], [true, true, false, false]);
  assert.deepEqual([isTextMap(undefined), isTextMap({ a: "b" }), isTextMap({ a: 5 }), isTextMap("a")], [true, true, false, false]);
});

test("withoutNulls() keeps everything else", () => {
  assert.deepEqual(withoutNulls({ a: null, b: 0, c: "", d: false }), { b: 0, c: "", d: false });
});

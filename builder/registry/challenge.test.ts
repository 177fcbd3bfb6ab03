import assert from "node:assert/strict";
import { test } from "node:test";
import { parseChallenges } from "./challenge.js";

test("parseChallenges() reads several challenges, quoted commas and odd spacing", () => {
  assert.deepEqual(parseChallenges(`Bearer realm="https://a/token" , service="x, y",scope=pull, Basic realm="q\\"t"`), [
    { scheme: "bearer", params: { realm: "https://a/token", service: "x, y", scope: "pull" } },
    { scheme: "basic", params: { realm: `q"t` } },
  ]);
  assert.deepEqual(parseChallenges(""), []);
  assert.deepEqual(parseChallenges('"""'), []);
});

import assert from "node:assert/strict";
import test from "node:test";
import { splitShortOptions } from "./shortOptions.js";

test("splitShortOptions() divides a short option from what touches it", () => {
  assert.deepEqual(splitShortOptions(["-tname:v1"]), ["-t", "name:v1"]);
  assert.deepEqual(splitShortOptions(["-t=name"]), ["-t", "name"]);
  assert.deepEqual(splitShortOptions(["-qtname"]), ["-q", "-t", "name"]);
  assert.deepEqual(splitShortOptions(["-qa"]), ["-q", "-a"]);
});

test("splitShortOptions() leaves everything else alone", () => {
  const words = ["-t", "name", "--tag", "x", "-", "--", "-tname", "-"];
  assert.deepEqual(splitShortOptions(words), words);
  assert.deepEqual(splitShortOptions(["-q=false", "-1x"]), ["-q=false", "-1x"]);
});

test("splitShortOptions() joins a dash to the option that it is the value of", () => {
  assert.deepEqual(splitShortOptions(["-o", "-", "--output", "-", "-q", "-"]), ["-o=-", "--output=-", "-q", "-"]);
  assert.deepEqual(splitShortOptions(["--detach", "-"]), ["--detach", "-"]);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { TbuildError } from "../../cache/errors.js";
import { stackDetail } from "./stackDetail.js";

test("stackDetail() tells functions, files below the program's own directory, and lines", () => {
  const [found] = stackDetail(new TbuildError("corrupt", "m"));
  assert.equal(found?.typeUrl, "github.com/moby/buildkit/stack.Stack+json");
  const { frames } = JSON.parse(Buffer.from(found.value).toString("utf8")) as { readonly frames: readonly { readonly File: string; readonly Line: number }[] };
  assert.equal(frames[0]?.File, "builder/api/stackDetail.test.js");
  assert.ok(frames.every(({ Line }) => Line > 0));
});

test("stackDetail() has nothing for what is no error", () => {
  assert.deepEqual(stackDetail("x"), []);
});

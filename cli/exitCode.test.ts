import assert from "node:assert/strict";
import test from "node:test";
import { cancelled, TbuildError } from "../cache/errors.js";
import { exitCodeOf } from "./exitCode.js";

test("exitCodeOf() tells wrong usage, cancelling and failure apart", () => {
  assert.equal(exitCodeOf(new TbuildError("usage", "x")), 2);
  assert.equal(exitCodeOf(cancelled()), 130);
  assert.equal(exitCodeOf(new TbuildError("process_failed", "x")), 1);
  assert.equal(exitCodeOf(new Error("x")), 1);
});

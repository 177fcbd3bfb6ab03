import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeOp } from "../../solver/llb/codec.js";
import type { Op } from "../../solver/llb/op.js";
import { solveDetail, solveError } from "./solveDetail.js";

const op: Op = { inputs: [], platform: null, constraints: null, body: { kind: "merge", inputs: [0, 1] } };

test("solveDetail() tells ids, the op as it was given, and what has failed of it", () => {
  const failed = { inputIds: ["a", ""], mountIds: ["b", ""], op, description: { "llb.customname": "x" } };
  const { typeUrl, value } = solveDetail({ ...failed, subject: { kind: "file", index: 0 } });
  assert.equal(typeUrl, "github.com/moby/buildkit/errdefs.Solve");
  const { op: bytes, ...told } = solveError.decode(value);
  assert.deepEqual(decodeOp(bytes), op);
  assert.deepEqual(told, { inputIds: ["a", ""], mountIds: ["b", ""], file: { index: 0 }, cache: null, description: { "llb.customname": "x" } });
  const none = solveError.decode(solveDetail({ ...failed, subject: null }).value);
  assert.deepEqual([none.file, none.cache], [null, null]);
});

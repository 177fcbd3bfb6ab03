import assert from "node:assert/strict";
import { test } from "node:test";
import { isTbuildError } from "../../cache/errors.js";
import { checkTotal } from "./limits.js";
import { parseDockerfile } from "./parse.js";

test("parseDockerfile() refuses the instruction after the ten-thousandth, at its line", () => {
  const most = `FROM a\n${"USER b\n".repeat(9_999)}`;
  assert.equal(parseDockerfile(most, "Dockerfile").instructions.length, 10_000);
  assert.throws(
    () => parseDockerfile(`${most}USER c\n`, "Dockerfile"),
    (error) => isTbuildError(error) && error.code === "resource_exhausted" && error.at?.start.line === 10_001,
  );
});

test("checkTotal() counts triggers in every stage that they run in", () => {
  const at = { file: "f", start: { line: 3, column: 1 }, end: { line: 3, column: 1 } };
  checkTotal([{ instructions: 10_000, at }]);
  assert.throws(() => checkTotal(Array.from({ length: 3 }, () => ({ instructions: 4_000, at }))), /more than 10,000 instructions/);
});

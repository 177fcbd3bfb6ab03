import assert from "node:assert/strict";
import { test } from "node:test";
import { isTbuildError } from "../../cache/errors.js";
import { parseSsh } from "./ssh.js";

for (const [text, spec] of [
  ["default", { id: "default", paths: [], raw: false }],
  ["git=/a/key,/b/key", { id: "git", paths: ["/a/key", "/b/key"], raw: false }],
  ["db=/run/db.sock,raw=true", { id: "db", paths: ["/run/db.sock"], raw: true }],
] as const) {
  test(`parseSsh() reads ${text}`, () => assert.deepEqual(parseSsh(text), spec));
}

for (const text of ["", "=x", "a,raw=true"]) {
  test(`parseSsh() refuses "${text}"`, () => {
    assert.throws(() => parseSsh(text), (error) => isTbuildError(error) && error.code === "usage");
  });
}

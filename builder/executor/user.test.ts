import assert from "node:assert/strict";
import test from "node:test";
import { hasCode } from "../../cache/errors.js";
import { parseAccounts, resolveUser } from "./user.js";

const accounts = parseAccounts(
  "root:x:0:0:root:/root:/bin/sh\n# comment\nweb:x:33:34::/:/bin/false\nbroken:x:a:b\n",
  "root:x:0:\nweb:x:34:\nmedia:x:50:web,root\nops:x:60:web\n",
);

const rows: readonly [string, number, number, readonly number[]][] = [
  ["", 0, 0, [50]],
  ["root", 0, 0, [50]],
  ["web", 33, 34, [50, 60]],
  ["33", 33, 34, [50, 60]],
  ["web:ops", 33, 60, []],
  ["web:7", 33, 7, []],
  ["1234", 1234, 0, []],
  ["1234:media", 1234, 50, []],
];

for (const [text, uid, gid, additionalGids] of rows) {
  test(`resolveUser("${text}") is ${uid}:${gid}`, () => {
    assert.deepEqual(resolveUser(text, accounts), { uid, gid, additionalGids });
  });
}

for (const text of ["nobody", "broken", "web:nobody"]) {
  test(`resolveUser("${text}") names what is missing`, () => {
    assert.throws(() => resolveUser(text, accounts), (error) => hasCode(error, "not_found"));
  });
}

test("resolveUser() refuses an id that no kernel accepts", () => {
  assert.throws(() => resolveUser("99999999999", accounts), (error) => hasCode(error, "invalid_argument"));
});

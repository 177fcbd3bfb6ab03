import assert from "node:assert/strict";
import { test } from "node:test";
import { type Evidence, hintsOf } from "./hints.js";

const hex = (text: string) => Buffer.from(text, "latin1").toString("hex");
const changed = (path: string, image = "x", rebuilt = "y", at = 0, head = ""): Evidence => ({
  path, keyword: "RUN", type: "file", kind: "changed", fields: [], head: hex(head), content: { at, start: 0, image: hex(image), rebuilt: hex(rebuilt) },
});

const cases: readonly (readonly [string, Evidence, RegExp])[] = [
  ["times alone", { ...changed("/a"), content: null, fields: [{ field: "mtime", image: "1", rebuilt: "2" }] }, /rewrite-timestamp/],
  ["times of copied files", { ...changed("/a"), keyword: "COPY", content: null, fields: [{ field: "mtime", image: "1", rebuilt: "2" }] }, /an earlier build/],
  ["compiled Python", changed("/usr/lib/x/__pycache__/y.cpython-312.pyc"), /PYTHONDONTWRITEBYTECODE/],
  ["logs of packages", changed("/var/log/apt/history.log"), /log when they ran/],
  ["lists of packages", { ...changed("/var/lib/apt/lists/x"), kind: "only-image", content: null }, /apt\/lists/],
  ["ldconfig", changed("/var/cache/ldconfig/aux-cache"), /ldconfig/],
  ["gzip", changed("/a.gz", "\u001f\u008b\b\0AAAA", "\u001f\u008b\b\0BBBB", 4, "\u001f\u008b\b\0AAAA"), /gzip -n/],
  ["zip", changed("/a.jar", "0123456789ab", "0123456789cd", 10, "PK\u0003\u0004"), /Zip/],
  ["a clock", changed("/built", "at 10:31:02 UTC", "at 10:31:07 UTC", 10), /look like a time/],
];

for (const [title, evidence, expected] of cases) {
  test(`hintsOf() sees ${title} and nothing else`, () => {
    const hints = hintsOf([changed("/app/a"), evidence, evidence]);
    assert.equal(hints.length, 1);
    assert.match(hints[0]!, expected);
  });
}

test("hintsOf() says nothing without evidence", () => {
  assert.deepEqual(hintsOf([changed("/app/a"), changed("/b.gz", "ab", "ac", 1, "\u001f\u008b"), changed("/usr/log/apt/x", "10:31:02 x", "10:31:02 y", 9)]), []);
});

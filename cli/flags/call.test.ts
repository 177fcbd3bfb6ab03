import assert from "node:assert/strict";
import test from "node:test";
import { parseCall } from "./call.js";

const plain = { format: "text", ignoreStatus: false } as const;

for (const text of ["build", "", "build,format=json"]) {
  test(`parseCall("${text}") asks nothing`, () => assert.equal(parseCall(text), null));
}

test("parseCall() reads what to ask and how to show it", () => {
  assert.deepEqual(parseCall("check"), { kind: "check", ...plain });
  assert.deepEqual(parseCall("lint"), { kind: "check", ...plain });
  assert.deepEqual(parseCall("targets,format=json"), { kind: "targets", format: "json", ignoreStatus: false });
  assert.deepEqual(parseCall("format=text,outline"), { kind: "outline", ...plain });
  assert.deepEqual(parseCall("subrequests.describe"), { kind: "subrequests.describe", ...plain });
  assert.equal(parseCall("check,ignorestatus")?.ignoreStatus, true);
  assert.equal(parseCall("check,ignorestatus=true")?.ignoreStatus, true);
  assert.equal(parseCall("check,ignorestatus=0")?.ignoreStatus, false);
});

for (const [text, hint] of [
  ["chek", 'Did you mean "check"?'],
  ["check,outline", "It asks for check and outline"],
  ["check,format=xml", "Known formats: text, json"],
  ["check,colour=red", "Known settings: format=text, format=json, ignorestatus"],
  ["check,ignorestatus=maybe", "Write ignorestatus=true or ignorestatus=false"],
] as const) {
  test(`parseCall("${text}") is refused`, () => {
    assert.throws(() => parseCall(text), { code: "usage", message: `Cannot read --call "${text}"`, hint });
  });
}

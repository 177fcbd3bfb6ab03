import assert from "node:assert/strict";
import { test } from "node:test";
import { isTbuildError } from "../../cache/errors.js";
import { parseSecret } from "./secret.js";

for (const [text, from] of [
  ["id=a,src=/f", { kind: "file", path: "/f" }],
  ["id=a,source=/f,type=file", { kind: "file", path: "/f" }],
  ["type=file,id=a", { kind: "file", path: "a" }],
  ["id=a,env=V", { kind: "env", name: "V" }],
  ["type=env,id=a,src=V", { kind: "env", name: "V" }],
  ["id=a", { kind: "file", path: "a" }],
  ['id=a,"src=/with,comma"', { kind: "file", path: "/with,comma" }],
] as const) {
  test(`parseSecret() reads ${text}`, () => assert.deepEqual(parseSecret(text, {}), { id: "a", from }));
}

test("parseSecret() takes the variable of an id alone when there is one", () => {
  assert.deepEqual(parseSecret("id=TOKEN", { TOKEN: "x" }), { id: "TOKEN", from: { kind: "env", name: "TOKEN" } });
});

for (const [text, message] of [
  ["a", 'Cannot read "a" of --secret "a"'],
  ["", 'Cannot read "" of --secret ""'],
  ["type=file", 'Cannot read --secret "type=file": it has no id'],
  ["id=a,scr=/f", 'Unknown key of --secret "scr"'],
  ["id=a,type=fil", 'Unknown secret type "fil"'],
  ["id=a,src=/f,env=V", 'Cannot read --secret "id=a,src=/f,env=V": it has both src and env'],
] as const) {
  test(`parseSecret() refuses "${text}"`, () => {
    assert.throws(() => parseSecret(text, {}), (error) => isTbuildError(error) && error.code === "usage" && error.message === message);
  });
}

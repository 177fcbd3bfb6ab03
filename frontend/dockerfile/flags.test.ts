import assert from "node:assert/strict";
import test from "node:test";
import { splitHead } from "./flags.js";

const rows: readonly [string, string, readonly [string, string | null][], string][] = [
  ["RUN", "RUN", [], ""],
  ["  run\tls -l  ", "run", [], "ls -l"],
  ["RUN --a", "RUN", [["a", null]], ""],
  ["RUN --a=b --c=d=e x --f", "RUN", [["a", "b"], ["c", "d=e"]], "x --f"],
  ["RUN -a --b", "RUN", [], "-a --b"],
  ["RUN -- --a", "RUN", [], "--a"],
  ["RUN --a -- --b x", "RUN", [["a", null]], "--b x"],
  ["RUN --", "RUN", [], ""],
  ['RUN --a="b c" x', "RUN", [["a", "b c"]], "x"],
  ["RUN --a='b c' x", "RUN", [["a", "b c"]], "x"],
  ["RUN --a=b\\ c x", "RUN", [["a", "b c"]], "x"],
  ["RUN --a='b\\'c' x", "RUN", [["a", "b'c"]], "x"],
  ["RUN --a=b\\", "RUN", [["a", "b"]], ""],
  ["RUN --a=한국 x", "RUN", [["a", "한국"]], "x"],
  ["RUN --a=", "RUN", [["a", ""]], ""],
];

for (const [text, keyword, flags, args] of rows) {
  test(`splitHead(${JSON.stringify(text)})`, () => {
    const head = splitHead(text, "\\");
    assert.equal(head.keyword, keyword);
    assert.deepEqual(head.flags.map(({ name, value }) => [name, value]), flags);
    assert.equal(head.args, args);
    assert.ok(text.startsWith(args, head.argsStart));
  });
}

test("splitHead() says where the flags are", () => {
  const text = 'COPY  --from=x --chown="a b" s d';
  assert.deepEqual(splitHead(text, "\\").flags.map(({ start, end }) => text.slice(start, end)), ["--from=x", '--chown="a b"']);
});

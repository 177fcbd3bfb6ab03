import assert from "node:assert/strict";
import test from "node:test";
import { logicalLines, rangeIn } from "./lines.js";
import { decodeText, physicalLines } from "./linesPhysical.js";
import type { EscapeChar } from "./words.js";

const read = (text: string, escape: EscapeChar = "\\") => [...logicalLines(text, physicalLines(text), 0, escape)];

const rows: readonly [string, readonly string[]][] = [
  ["", []],
  ["\n\n  \n# only\n", []],
  ["FROM a\nRUN b", ["FROM a", "RUN b"]],
  ["FROM a\r\nRUN b \\\r\n  c\r\n", ["FROM a", "RUN b   c"]],
  ["  RUN a\\\nb", ["RUN ab"]],
  ["RUN a \\  \t\n  b", ["RUN a   b"]],
  ["RUN a \\\n# note\n  # note\n  b", ["RUN a   b"]],
  ["RUN a \\\n\n  \n b", ["RUN a  b"]],
  ["RUN a \\\\\nUSER b", ["RUN a \\\\", "USER b"]],
  ["RUN a \\\\\\\nUSER b", ["RUN a \\\\\\", "USER b"]],
  ["RUN a \\x\nUSER b", ["RUN a \\x", "USER b"]],
  ["RUN a `\nUSER b", ["RUN a `", "USER b"]],
  ["RUN a \\", ["RUN a "]],
  ["RUN a \\\n", ["RUN a "]],
  ["\\\nFROM a", ["FROM a"]],
  ["\\\n\\\nFROM a", ["FROM a"]],
  ["RUN a # b", ["RUN a # b"]],
  ["RUN a \\\n&& b # \\\n  c", ["RUN a && b #   c"]],
];

for (const [text, expected] of rows) {
  test(`logicalLines(${JSON.stringify(text)})`, () => assert.deepEqual(read(text).map((line) => line.text), expected));
}

test("logicalLines() continues at the escape character of the file only", () => {
  assert.deepEqual(read("RUN a `\n b\nCOPY c:\\\nUSER d", "`").map((line) => line.text), ["RUN a  b", "COPY c:\\", "USER d"]);
});

test("logicalLines() collects comments up to an empty one, and blank lines of a continuation", () => {
  const [first, second] = read("# gone\n#\n# one\n\n  #two \nFROM a\nRUN b \\\n\n# not this\n c");
  assert.deepEqual(first?.comments, ["one", "two"]);
  assert.deepEqual(second?.comments, []);
  assert.equal(second?.blank, true);
});

test("logicalLines() reads here-documents with their lines as they are", () => {
  const text = "RUN <<-A <<B\n\t# a \\\n\n\tA\nA\r\nB\nFROM x";
  const [run, from] = read(text);
  assert.deepEqual(run?.heredocs.map(({ name, body }) => [name, body]), [["A", "\t# a \\\n\n"], ["B", "A\r\n"]]);
  assert.deepEqual(run?.last, { line: 6, column: 1 });
  assert.equal(from?.text, "FROM x");
});

test("logicalLines() lets the end of a here-document have a carriage return or no newline", () => {
  assert.deepEqual(read("RUN <<A\r\nx\r\nA\r\n")[0]?.heredocs[0]?.body, "x\r\n");
  assert.deepEqual(read("RUN <<A\nA")[0]?.heredocs[0]?.body, "");
});

test("logicalLines() finds a marker behind a continuation", () => {
  const [run] = read("RUN cat \\\n <<A | \\\n sh\nbody\nA");
  assert.equal(run?.text, "RUN cat  <<A |  sh");
  assert.equal(run?.heredocs[0]?.body, "body\n");
});

test("logicalLines() tells about a here-document that does not end", () => {
  const [run, more] = read("RUN <<A\nFROM x\n A\n");
  assert.equal(run?.unterminated?.name, "A");
  assert.equal(more, undefined);
});

test("rangeIn() maps a logical line back to the file", () => {
  const [line] = read("\n  COPY a \\\n  # note\n   bcd e");
  const start = line!.text.indexOf("bcd");
  const expected = { file: "f", start: { line: 4, column: 4 }, end: { line: 4, column: 6 } };
  assert.deepEqual(rangeIn(line!, start, start + 3, "f"), expected);
  assert.deepEqual(rangeIn(line!, 0, 4, "f").start, { line: 2, column: 3 });
});

test("decodeText() drops a byte-order mark", () => {
  assert.equal(decodeText("\uFEFFFROM a"), "FROM a");
  assert.equal(decodeText(Buffer.from("\uFEFFFROM a")), "FROM a");
});

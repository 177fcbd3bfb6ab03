import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import test from "node:test";
import { TbuildError, type SourceRange } from "../cache/errors.js";
import { excerpt, reportError } from "./report.js";

const at = (first: number, last = first, file = "Dockerfile"): SourceRange => ({
  file,
  start: { line: first, column: 1 },
  end: { line: last, column: 5 },
});

const root = mkdtempSync(path.join(tmpdir(), "tbuild-report-"));
writeFileSync(path.join(root, "Dockerfile"), "FROM scratch\n\nRUN make \\\n  all\r\nCMD x\nLABEL a=b\n");
test.after(() => rmSync(root, { recursive: true }));

test("reportError() shows place, message, excerpt and hint", () => {
  const error = new TbuildError("not_found", 'Cannot copy "src": no such path', { at: at(3, 4), hint: 'Did you mean "source"?' });
  assert.equal(
    reportError(error, { root, output: "show" }),
    `ERROR: Dockerfile:3:1: Cannot copy "src": no such path
  1 |     FROM scratch
  2 |
  3 | >>> RUN make \\
  4 | >>>   all
  5 |     CMD x
  6 |     LABEL a=b
hint: Did you mean "source"?
`,
  );
});

test("reportError() shows the end of a failed step's output, once", () => {
  const process = { argv: ["make"], exitCode: 2, signal: null, outOfMemory: false, logTail: ["one", "\u001b[31mtwo\u001b[0m\u001b[2A"] };
  const error = new TbuildError("process_failed", "Process failed", { process });
  assert.equal(reportError(error, { root, output: "show" }), "ERROR: Process failed\n------\n one\n two\n------\n");
  assert.equal(reportError(error, { root, output: "shown" }), "ERROR: Process failed\n");
});

test("reportError() shows every mistake of a file", () => {
  const second = new TbuildError("parse_failed", "Second", { at: at(6) });
  const first = new TbuildError("parse_failed", "First", { at: at(1), others: [second] });
  const text = reportError(first, { root, output: "show" });
  assert.deepEqual(text.match(/^ERROR: .*|^ +\d+ \| >>>.*/gm), [
    "ERROR: Dockerfile:1:1: First",
    "  1 | >>> FROM scratch",
    "ERROR: Dockerfile:6:1: Second",
    "  6 | >>> LABEL a=b",
  ]);
});

test("reportError() has no excerpt of a file that is gone", () => {
  const error = new TbuildError("parse_failed", "Bad", { at: at(1, 1, "gone.toml") });
  assert.equal(reportError(error, { root, output: "show" }), "ERROR: gone.toml:1:1: Bad\n");
});

test("reportError() keeps the stack of what is no user's error", () => {
  assert.match(reportError(new TypeError("x is undefined"), { root, output: "show" }), /^ERROR: internal error, please report it\nTypeError: x is undefined\n +at /);
  assert.match(reportError("text", { root, output: "show" }), /internal error.*\ntext\n/);
});

test("excerpt() shows the last line for an error at the end", () => {
  assert.equal(excerpt("a\nb\n", at(3)), "  1 |     a\n  2 | >>> b");
});

test("excerpt() is as wide as its largest line number", () => {
  const text = Array.from({ length: 12 }, (_, index) => `L${index + 1}`).join("\n");
  assert.equal(excerpt(text, at(9)), "   7 |     L7\n   8 |     L8\n   9 | >>> L9\n  10 |     L10\n  11 |     L11");
});

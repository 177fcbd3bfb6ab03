import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import test from "node:test";
import { TbuildError, type SourceRange } from "../cache/errors.js";
import { reportError, type ReportOptions } from "./report.js";

const at = (first: number, last = first, file = "Dockerfile"): SourceRange => ({
  file,
  start: { line: first, column: 1 },
  end: { line: last, column: 5 },
});

const root = mkdtempSync(path.join(tmpdir(), "tbuild-report-"));
writeFileSync(path.join(root, "Dockerfile"), "FROM scratch\n\nRUN make \\\n  all\r\nCMD x\nLABEL a=b\n");
test.after(() => rmSync(root, { recursive: true }));

const plain: ReportOptions = { root, output: "show", colours: false, columns: 100 };

test("reportError() shows place, message, excerpt and hint", () => {
  const error = new TbuildError("not_found", 'Cannot copy "src": no such path', { at: at(3, 4), hint: 'Did you mean "source"?' });
  assert.equal(
    reportError(error, plain),
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
  assert.equal(reportError(error, plain), "ERROR: Process failed\n------\n one\n two\n------\n");
  assert.equal(reportError(error, { ...plain, output: "shown" }), "ERROR: Process failed\n");
});

test("reportError() shows every mistake of a file", () => {
  const second = new TbuildError("parse_failed", "Second", { at: at(6) });
  const first = new TbuildError("parse_failed", "First", { at: at(1), others: [second] });
  const text = reportError(first, plain);
  assert.deepEqual(text.match(/^ERROR: .*|^ +\d+ \| >>>.*/gm), [
    "ERROR: Dockerfile:1:1: First",
    "  1 | >>> FROM scratch",
    "ERROR: Dockerfile:6:1: Second",
    "  6 | >>> LABEL a=b",
  ]);
  assert.match(text, /\n\n2 errors in Dockerfile\n$/);
});

test("reportError() tells a mistake once, and how many of a long list are left", () => {
  const others = Array.from({ length: 24 }, (_, index) => new TbuildError("parse_failed", `Mistake ${index % 22}`, { at: at(1) }));
  const text = reportError(new TbuildError("parse_failed", "Mistake 0", { at: at(1), others }), plain);
  assert.equal(text.match(/^ERROR: /gm)?.length, 20);
  assert.match(text, /\n… and 2 more: 22 errors in Dockerfile\n$/);
});

test("reportError() uses colours only where they are wanted", () => {
  const error = new TbuildError("not_found", "Missing", { at: at(1), hint: "Look" });
  const text = reportError(error, { ...plain, colours: true }).replaceAll("\u001b", "ESC");
  assert.match(text, /^ESC\[31mERROR:ESC\[0m ESC\[1mDockerfile:1:1: ESC\[0mMissing\n/);
  assert.match(text, /ESC\[31m>>>ESC\[0m FROM scratch/);
  assert.match(text, /ESC\[36mhint:ESC\[0m Look\n$/);
});

test("reportError() has no excerpt of a file that is gone", () => {
  const error = new TbuildError("parse_failed", "Bad", { at: at(1, 1, "gone.toml") });
  assert.equal(reportError(error, plain), "ERROR: gone.toml:1:1: Bad\n");
});

test("reportError() keeps the stack of what is no user's error", () => {
  assert.match(reportError(new TypeError("x is undefined"), plain), /^ERROR: internal error, please report it\nTypeError: x is undefined\n +at /);
  assert.match(reportError("text", plain), /internal error.*\ntext\n/);
});

import assert from "node:assert/strict";
import test from "node:test";
import { DockerfileParser } from "dockerfile-ast";
import { isTbuildError, type SourceRange, type TbuildError } from "../../cache/errors.js";
import { parseDockerfile, parseTrigger } from "./parse.js";

const at: SourceRange = { file: "Dockerfile", start: { line: 1, column: 1 }, end: { line: 1, column: 6 } };
const copyFlags = "--from, --chown, --chmod, --link, --exclude, --parents";
const place = ({ start, end }: SourceRange) => `${start.line}:${start.column}-${end.line}:${end.column}`;

function mistakes(text: string): readonly TbuildError[] {
  try {
    parseDockerfile(text, "Dockerfile");
  } catch (error) {
    if (isTbuildError(error)) return [error, ...error.others];
    throw error;
  }
  return [];
}

test("parseDockerfile() gives every instruction its range, original text, keyword and comments", () => {
  const parsed = parseDockerfile("# syntax=a\n# about b\nfrom b AS c\n\nRUN x \\\n  y\nCOPY <<E /d\nbody\nE\n", "Dockerfile");
  assert.deepEqual(parsed.instructions.map((instruction) => place(instruction.at)), ["3:1-3:11", "5:1-6:3", "7:1-9:1"]);
  assert.deepEqual(parsed.instructions.map(({ original }) => original), ["from b AS c", "RUN x   y", "COPY <<E /d"]);
  assert.deepEqual(parsed.instructions.map(({ keyword }) => keyword), ["from", "RUN", "COPY"]);
  assert.deepEqual(parsed.instructions[0]?.comments, ["about b"]);
  assert.deepEqual([...parsed.directives].map(([key, { value }]) => [key, value]), [["syntax", "a"]]);
});

test("parseDockerfile() takes bytes with a byte-order mark and CRLF", () => {
  const { escape, instructions } = parseDockerfile(Buffer.from("\uFEFF# escape=`\r\nFROM a\r\nRUN b `\r\n c\r\n"), "Dockerfile");
  assert.equal(escape, "`");
  assert.deepEqual(instructions.map(({ original }) => original), ["FROM a", "RUN b  c"]);
});

test("parseDockerfile() records blank lines inside a continuation", () => {
  const { emptyContinuations } = parseDockerfile("FROM a\nRUN b \\\n\n c\n", "Dockerfile");
  assert.deepEqual(emptyContinuations.map(place), ["4:1-4:1"]);
});

test("parseDockerfile() reports every mistake at once, in order, at its place", () => {
  const copies = "COPY --form=x a \\\n  --nope b\nCOPY a\n";
  const found = mistakes(`# escape=x\nFROM a AS 1\nRNU b\n${copies}ENV a\nRUN [1]\nLABEL a=b c d=e`);
  assert.deepEqual(
    found.map((error) => `${place(error.at!)} ${error.message}${error.hint === undefined ? "" : ` | ${error.hint}`}`),
    [
      '1:1-1:10 Cannot use "x" as escape character | Use "\\" or "`"',
      '2:11-2:11 Cannot use "1" as stage name' +
        " | Start with a letter and use only letters, digits, hyphens, underscores and dots",
      '3:1-3:3 Unknown instruction "RNU" | Did you mean "RUN"?',
      `4:6-4:13 Unknown flag "--form": COPY takes only ${copyFlags} | Did you mean "--from"?`,
      "6:6-6:6 COPY requires at least two arguments, a source and a destination, but got 1",
      '7:5-7:5 ENV requires a value for "a" | Write ENV a=VALUE; an empty value is ""',
      "8:5-8:7 Cannot parse RUN: a JSON array may hold only strings | Put every element of the array in double quotes",
      '9:11-9:11 Cannot parse "c" of LABEL: expected NAME=VALUE | Put a value with spaces in quotes',
    ],
  );
});

const single: readonly [string, string, string][] = [
  ["", "1:1-1:1", 'Cannot build from "Dockerfile": it has no instructions'],
  ["# only\n", "1:1-1:1", 'Cannot build from "Dockerfile": it has no instructions'],
  ["ARG a\nRUN b\nRUN c\nFROM d", "2:1-2:3", "Cannot use RUN before the first FROM"],
  ["FROM a\nRUN cat \\\n  <<EOF\nFROM b\n", "3:3-3:7", 'Cannot find the end of here-document "EOF"'],
  ["FROM a\n\\\n", "2:1-2:1", 'Unknown instruction ""'],
  ["FROM a\n__proto__ x", "2:1-2:9", 'Unknown instruction "__proto__"'],
  ["FROM a\nONBUILD COPY --from=x \\\n --lnik a b", "3:2-3:7", `Unknown flag "--lnik": COPY takes only ${copyFlags}`],
];

for (const [text, where, message] of single) {
  test(`parseDockerfile(${JSON.stringify(text)}) fails`, () => {
    assert.deepEqual(mistakes(text).map((error) => [place(error.at!), error.message]), [[where, message]]);
  });
}

test("parseDockerfile() stops after fifty mistakes", () => assert.equal(mistakes("FROM a\n" + "FOO\n".repeat(1000)).length, 50));

test("parseDockerfile() finds what dockerfile-ast finds in a file without its known faults", () => {
  const text = [
    "# escape=\\",
    "ARG V=1",
    "FROM a:$V AS b",
    "# note",
    "RUN x && \\",
    "  # inner",
    "  y",
    "COPY --from=b --chown=1 s d",
    "RUN <<E",
    "FROM z",
    "E",
    "ONBUILD RUN q",
    'CMD ["a", "b"]',
  ].join("\n");
  const { instructions } = parseDockerfile(text, "Dockerfile");
  const ours = instructions.map(({ keyword, at: { start, end } }) => [keyword, start.line, end.line]);
  const theirs = DockerfileParser.parse(text).getInstructions();
  assert.deepEqual(ours, theirs.map((i) => [i.getInstruction(), i.getRange().start.line + 1, i.getRange().end.line + 1]));
});

test("parseTrigger() parses one instruction, said to be at the place of FROM", () => {
  const run = parseTrigger("RUN cat <<E\nbody\nE", at, "\\");
  assert.deepEqual(run.name === "run" && run.heredocs.map(({ content }) => content), ["body\n"]);
  assert.equal(run.at, at);
});

for (const trigger of ["", "RUN a\nRUN b", "FROM a", "ONBUILD RUN a", "MAINTAINER a", "FOO", "COPY a", "RUN <<E\n"]) {
  test(`parseTrigger(${JSON.stringify(trigger)}) fails`, () => {
    const located = (error: unknown) => isTbuildError(error) && error.code === "parse_failed" && error.at === at;
    assert.throws(() => parseTrigger(trigger, at, "\\"), located);
  });
}

import assert from "node:assert/strict";
import test from "node:test";
import { hasCode, isTbuildError, type SourceRange } from "../../cache/errors.js";
import { type ExpandEnv, expandRaw, expandWord, expandWords } from "./expand.js";

const at: SourceRange = { file: "Dockerfile", start: { line: 3, column: 1 }, end: { line: 3, column: 9 } };
const env = (values: Record<string, string>): ExpandEnv => ({ get: (name) => values[name] });
const usual = env({ PWD: "/home", SHELL: "bash", KOREAN: "한국어", NULL: "", A: "x", space: "a  b", padded: "  p " });

/** Word and its expansion; null where the syntax is wrong. */
const words: readonly [string, string | null][] = [
  ["hello", "hello"],
  ["he'll'o", "hello"],
  ["he'llo", null],
  ["he\\'llo", "he'llo"],
  ["he\\\\'llo", null],
  ["abc\\tdef", "abctdef"],
  ['"abc\\tdef"', "abc\\tdef"],
  ['"abc\\\\tdef"', "abc\\tdef"],
  ["'abc\\tdef'", "abc\\tdef"],
  ["hello\\", "hello"],
  ["hello\\\\", "hello\\"],
  ['"hello', null],
  ['"hello\\"', null],
  ["\"hel'lo\"", "hel'lo"],
  ["'hello\\'", "hello\\"],
  ["\"''\"", "''"],
  ['""', ""],
  ["$", "$"],
  ["$.", "$."],
  ["he$1x", "hex"],
  ["he$.x", "he$.x"],
  ["he$pwd.", "he."],
  ["he$PWD", "he/home"],
  ["he\\$PWD", "he$PWD"],
  ["he\\\\$PWD", "he\\/home"],
  ['"he\\$PWD"', "he$PWD"],
  ["\\${}", "${}"],
  ["${}", null],
  ["he${.}", null],
  ["he${hi}xx", "hexx"],
  ["he${PWD}", "he/home"],
  ["he${XXX:-000}xx", "he000xx"],
  ["he${PWD:-000}xx", "he/homexx"],
  ["he${NULL:-000}xx", "he000xx"],
  ["he${NULL-000}xx", "hexx"],
  ["he${XXX-000}xx", "he000xx"],
  ["he${XXX:-$PWD}xx", "he/homexx"],
  ["he${XXX:-${PWD:-yyy}}xx", "he/homexx"],
  ["he${XXX:-${YYY:-yyy}}xx", "heyyyxx"],
  ['he${XXX:-"a b"}', "hea b"],
  ["he${XXX:-'$A'}", "he$A"],
  ['"he${XXX:-"a b"}"', "hea b"],
  ["he${XXX:YYY}", null],
  ["he${PWD?}", "he/home"],
  ["he${PWD:?}", "he/home"],
  ["he${NULL?}", "he"],
  ["he${XXX:+${PWD}}xx", "hexx"],
  ["he${PWD:+${XXX}}xx", "hexx"],
  ["he${PWD:+${SHELL}}xx", "hebashxx"],
  ["he${NULL+set}", "heset"],
  ["he${NULL:+set}", "he"],
  ["'he${XX}'", "he${XX}"],
  ["\"he'$PWD'\"", "he'/home'"],
  ["'\\$PWD'", "\\$PWD"],
  ["he${PWD", null],
  ["he${", null],
  ["he${PWD:", null],
  ["he${PWD:-", null],
  ["he${PWD:=000}xx", null],
  ["he${PWD=000}xx", null],
  ["he${PWD^^}", null],
  ["he${PWD:#x}", null],
  ["he${PWD:%%x}", null],
  ["he${PWD:+${PWD}:}xx", "he/home:xx"],
  ["he${XXX:-\\$PWD:}xx", "he$PWD:xx"],
  ["he${XXX:-\\${PWD}z}xx", "he${PWDz}xx"],
  ["안녕$KOREAN", "안녕한국어"],
  ["${{aaa}", null],
  ["${aaa}}", "}"],
  ["${aaa:-bbb}}", "bbb}"],
  ["${aaa:-bbb {foo}", "bbb {foo"],
  ["${aaa:-bbb ${foo}", null],
  ["${:-bbb}", null],
  ["$999aaa", "aaa"],
  ["${1:-bbb}", "bbb"],
  ["$@@@", "@@"],
  ["${@}aaa", "aaa"],
  ["${#:-bbb}", "bbb"],
  ["${?}", ""],
  ["${-:-bbb}", "bbb"],
  ["$$", ""],
  ["$!x", "x"],
  ["${0:+bbb}", ""],
];

for (const [word, expected] of words) {
  test(`expandWord(${word})`, () => {
    if (expected !== null) return assert.equal(expandWord(word, usual, "\\", at).text, expected);
    assert.throws(
      () => expandWord(word, usual, "\\", at),
      (error) => hasCode(error, "parse_failed") && isTbuildError(error) && error.at === at,
    );
  });
}

const patterns: readonly [string, Record<string, string>, string][] = [
  ["${FOO#()[]{\\}^$.\\*\\?|\\\\}", { FOO: "()[]{}^$.*?|\\x" }, "x"],
  ["${FOO%%\\**}", { FOO: "xx**" }, "xx"],
  ["${FOO#*x*y}", { FOO: "xxyy" }, "y"],
  ["${FOO#*}", { FOO: "xxyy" }, "xxyy"],
  ["${FOO##*x}", { FOO: "xxyy" }, "yy"],
  ["${FOO#$BAR}", { FOO: "xxyy", BAR: "x" }, "xyy"],
  ["${FOO#}", { FOO: "xxyy" }, "xxyy"],
  ["${FOO##}", { FOO: "xxyy" }, "xxyy"],
  ["${FOO#?\\?}", { FOO: "???y" }, "?y"],
  ["${FOO%%\\**\\*}", { FOO: "a***yy*" }, "a"],
  ["${FOO%.*}", { FOO: "a.tar.gz" }, "a.tar"],
  ["${FOO/$N/.} - ${FOO//$N/.}", { FOO: "/foo*/*/*.txt", N: "\\*/" }, "/foo.*/*.txt - /foo..*.txt"],
  ["${FOO/$N/} - ${FOO//$N/}", { FOO: "/tmp/tmp/bar.txt", N: "/tmp" }, "/tmp/bar.txt - /bar.txt"],
  ["${FOO/$N/$R}", { FOO: "http://google.de", N: "http://", R: "https://" }, "https://google.de"],
  ["${FOO//\\//\\/}", { FOO: "/tmp/foo.txt" }, "\\/tmp\\/foo.txt"],
  ["${FOO/$BAR/ww}", { FOO: "xxyy", BAR: "" }, "wwxxyy"],
  ["${FOO///}", { FOO: "xxyy" }, "xxyy"],
  ["${FOO///}", {}, ""],
  ['${FOO#"\\a"}', { FOO: "\\ab" }, "b"],
];

for (const [word, values, expected] of patterns) {
  test(`expandWord(${word}) with ${JSON.stringify(values)}`, () => {
    assert.equal(expandWord(word, env(values), "\\", at).text, expected);
  });
}

for (const word of ["${FOO//ww}", "${FOO//}", "${FOO#\\x}", "${FOO/\\x/y}"]) {
  test(`expandWord(${word}) is refused`, () => {
    assert.throws(() => expandWord(word, env({ FOO: "a" }), "\\", at), (error) => hasCode(error, "parse_failed"));
  });
}

test("expandWord() reports the message of ${v:?message}", () => {
  const fails = (word: string, values: Record<string, string>, message: RegExp) =>
    assert.throws(
      () => expandWord(word, env(values), "\\", at),
      (error) => hasCode(error, "invalid_argument") && message.test(String(error)),
    );
  fails("${V:?set it to $A}", { A: "x", V: "" }, /variable "V": set it to x/);
  fails("${V?}", {}, /"V": it must be set/);
  fails("${V:?}", { V: "" }, /"V": it must not be empty/);
  assert.equal(expandWord("${A:-${B:?}}", env({ A: "x" }), "\\", at).text, "x");
});

test("expandWord() names what was not set, once", () => {
  assert.deepEqual(expandWord("$B $A ${B} ${C:-x} ${A:-$D} ${E+y}", env({ A: "" }), "\\", at).unmatched, ["B", "C", "D", "E"]);
});

test("expandWord() follows the escape directive", () => {
  assert.equal(expandWord("c:\\`$A\\$A", usual, "`", at).text, "c:\\$A\\x");
});

test("expandWord() refuses deep nesting and huge results instead of running out of memory", () => {
  const deep = "${A:-".repeat(5000) + "}".repeat(5000);
  assert.throws(() => expandWord(deep, usual, "\\", at), (error) => hasCode(error, "parse_failed"));
  const mega = env({ A: "a".repeat(1 << 20) });
  const tooLarge = (error: unknown) => hasCode(error, "invalid_argument");
  assert.throws(() => expandWord("$A".repeat(20), mega, "\\", at), tooLarge);
  assert.throws(() => expandWord("${A//a/$A}", env({ A: "a".repeat(10_000) }), "\\", at), tooLarge);
});

const splits: readonly [string, readonly string[]][] = [
  ["hello", ["hello"]],
  ["hello   there", ["hello", "there"]],
  ["hello\\ there", ["hello there"]],
  ['hello" there  "', ["hello there  "]],
  ["hello${space}bye", ["helloa", "bbye"]],
  ['hello"${space}"bye', ["helloa  bbye"]],
  ["x${padded}y", ["x", "p", "y"]],
  ["a${XXX:-b}c", ["abc"]],
  ["${XXX}", []],
  ['""', []],
];

for (const [word, expected] of splits) {
  test(`expandWords(${word})`, () => assert.deepEqual(expandWords(word, usual, "\\", at).words, expected));
}

const bodies: readonly [string, string][] = [
  ["\"quotes\" and 'single $A'\n", "\"quotes\" and 'single x'\n"],
  ["it's $A\n", "it's x\n"],
  ["\\\n", "\n"],
  ["\\\\\n", "\\\n"],
  ["\\$A\n", "$A\n"],
  ["a << b", "a << b"],
  ['${XXX:-"q"}', '"q"'],
];

for (const [body, expected] of bodies) {
  test(`expandRaw(${JSON.stringify(body)})`, () => assert.equal(expandRaw(body, usual, "\\", at).text, expected));
}

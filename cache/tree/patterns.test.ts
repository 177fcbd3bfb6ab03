import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";
import { hasCode } from "../errors.js";
import { compilePatterns } from "./patterns.js";

// Its types say "export default", its code "module.exports".
const dockerignore = createRequire(import.meta.url)("@balena/dockerignore") as (options: { ignorecase: boolean }) => Oracle;

// Source: rows of moby/patternmatcher's TestMatches and our own.
const rows: readonly [pattern: string, path: string, ignored: boolean][] = [
  ["**", "file", true], ["**", "file/", true], ["**/", "file", true], ["**/", "dir/file", true], ["**/**", "dir/file", true],
  ["dir/**", "dir/file", true], ["dir/**", "dir/dir2/file", true], ["dir/**", "dir", false], ["**/dir", "dir", true],
  ["**/dir", "dir/file", true], ["**/dir2/*", "dir/dir2/file", true], ["**/dir2/*", "dir/dir2/dir2/file", true],
  ["**/dir2/**", "dir/dir2/dir2/file", true], ["**file", "file", true], ["**file", "dir/file", true], ["**file", "dirfile", true],
  ["**/file", "dir/dir/file", true], ["**/file*", "dir/dir/file.txt", true], ["**/file*txt", "dir/dir/file.txt", true],
  ["**/file*.txt*", "dir/dir/file.txt", true], ["**/**/*.txt", "dir/dir/file.txt", true],
  ["**/**/*.txt2", "dir/dir/file.txt", false],
  ["**/*.txt", "file.txt", true], ["a**/*.txt", "a/file.txt", true], ["a**/*.txt", "a/dir/file.txt", true],
  ["a/*.txt", "a/dir/file.txt", false], ["a/*.txt", "a/file.txt", true], ["a/*.txt**", "a/file.txt", true],
  ["a[b-d]e", "ae", false], ["a[b-d]e", "ace", true], ["a[b-d]e", "aae", false], ["a[^b-d]e", "aze", true],
  [".*", ".foo", true], [".*", "foo", false], ["abc.def", "abcdef", false], ["abc.def", "abc.def", true],
  ["abc.def", "abcZdef", false],
  ["abc?def", "abcZdef", true], ["abc?def", "abcdef", false], ["a\\*b", "a*b", true], ["a\\*b", "axb", false],
  ["**/foo/bar", "foo/bar", true], ["**/foo/bar", "dir/foo/bar", true], ["abc/**", "abc/def/ghi", true], ["abc/**", "abc", false],
  ["**/.foo", "bar.foo", false], ["**/.foo", ".foo", true], ["./bin", "bin", true], ["bin/", "bin", true],
  ["/bin", "bin/x", true],
  ["a(b)c/def", "a(b)c/def", true], ["a(b)c/def", "a(b)c/xyz", false], ["a.|)$(}+{bc", "a.|)$(}+{bc", true],
  ["dist/proxy.py-2.4.0rc3.dev36+g08acad9-py3-none-any.whl", "dist/proxy.py-2.4.0rc3.dev36+g08acad9-py3-none-any.whl", true],
  ["[!a]x", "!x", true], ["[!a]x", "bx", false], ["foo/b**r", "foo/bar", false], ["foo/b**r", "foo/br", true],
  ["é*", "église", true], ["?", "é", true], ["x y", "x y/z", true],
];

test("compilePatterns() agrees with moby/patternmatcher on single patterns", () => {
  for (const [pattern, path, ignored] of rows) {
    assert.equal(compilePatterns([pattern]).matches(path.replace(/\/$/, "")).matched, ignored, `${pattern} ${path}`);
  }
});

const lists: readonly [rules: string[], path: string, ignored: boolean][] = [
  [["**", "!util/docker/web"], "util/docker/web/foo", false],
  [["**", "!util/docker/web", "util/docker/web/foo"], "util/docker/web/foo", true],
  [["**", "!dist/x.whl"], "dist/x.whl", false],
  [["**", "!dist/*.whl"], "dist/x.whl", false],
  [["*", "!a/b"], "a/c", true],
  [["*", "!a/b"], "a/b/c", false],
  [["a", "!a"], "a/x", false],
  [["!a", "a"], "a", true],
  // A walk does not test a rule that could change nothing, and then children do not inherit it.
  [["a/x", "!a"], "a/x", true],
  [["*.md", "!README*.md", "README-secret.md"], "README-secret.md", true],
];

test("compilePatterns() lets the last matching rule decide", () => {
  for (const [rules, path, ignored] of lists) {
    assert.equal(compilePatterns(rules).matches(path).matched, ignored, `${rules} ${path}`);
  }
});

test("compilePatterns() agrees with @balena/dockerignore on random rules", () => {
  const next = random(7);
  const pick = <T>(of: readonly T[]): T => of[next() % of.length]!;
  const names = ["a", "b", "ab", "a.b", "c"];
  const globs = ["a", "b", "*", "a*", "?", "**", "ab", "a.b", "[ab]", "[^a]"];
  for (let round = 0; round < 3000; round++) {
    const pattern = Array.from({ length: 1 + (next() % 3) }, () => pick(globs)).join("/");
    const path = Array.from({ length: 1 + (next() % 4) }, () => pick(names)).join("/");
    const expected = dockerignore({ ignorecase: false }).add([pattern]).ignores(path);
    assert.equal(compilePatterns([pattern]).matches(path).matched, expected, `${pattern} ${path}`);
  }
});

test("couldMatchBelow() never hides a path that takes part", () => {
  const next = random(11);
  const pick = <T>(of: readonly T[]): T => of[next() % of.length]!;
  const globs = ["a", "b", "*", "a*", "**", "[ab]"];
  for (let round = 0; round < 3000; round++) {
    const rules = Array.from({ length: 1 + (next() % 4) }, () => {
      const body = Array.from({ length: 1 + (next() % 3) }, () => pick(globs)).join("/");
      return next() % 3 === 0 ? `!${body}` : body;
    });
    const matcher = compilePatterns(rules);
    const path = Array.from({ length: 2 + (next() % 3) }, () => pick(["a", "b", "ab"])).join("/");
    const dir = path.slice(0, path.indexOf("/"));
    const state = matcher.match(dir, null);
    const differs = matcher.matches(path).matched !== state.matched;
    assert.equal(differs && !matcher.couldMatchBelow(dir, state), false, `${rules} ${path}`);
  }
});

test("couldMatchBelow() spares directories that no rule takes back", () => {
  const matcher = compilePatterns(["*", "!src/*.ts", "!docs/a/b"]);
  const below = (dir: string) => matcher.couldMatchBelow(dir, matcher.matches(dir));
  assert.deepEqual(["src", "node_modules", "docs", "docs/a", "docs/x"].map(below), [true, false, true, true, false]);
});

test("match() names the rule that decided", () => {
  assert.equal(compilePatterns(["", "*.md", "!a.md", "x"]).matches("b.md").rule, 1);
  assert.equal(compilePatterns(["*.md", "!a.md"]).matches("a.md").rule, 1);
  assert.equal(compilePatterns(["*.md"]).matches("a").rule, -1);
});

test("compilePatterns() refuses a lone ! and malformed classes", () => {
  for (const rule of ["!", "[", "a[", "[]", "a\\"]) {
    assert.throws(() => compilePatterns([rule]), (e) => hasCode(e, "invalid_argument"), rule);
  }
});

interface Oracle {
  add(rules: readonly string[]): Oracle;
  ignores(path: string): boolean;
}

function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return state >>> 8;
  };
}

import assert from "node:assert/strict";
import { test } from "node:test";
import { hasCode, isTbuildError } from "../../cache/errors.js";
import { type GitUrl, parseGitUrl, redacted } from "./gitUrl.js";

const commit = "0123456789abcdef0123456789abcdef01234567";

function parsed(text: string): GitUrl {
  const url = parseGitUrl(text);
  assert.ok(url !== null, text);
  return url;
}

function brief(text: string): readonly string[] {
  const { scheme, host, path, ref, subdir } = parsed(text);
  return [scheme, host, path, ref, subdir];
}

test("parseGitUrl() reads every form of URL", () => {
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ["https://github.com/a/b.git", ["https", "github.com", "/a/b.git", "", ""]],
    ["https://github.com/a/b.git#v1", ["https", "github.com", "/a/b.git", "v1", ""]],
    ["https://github.com/a/b.git#v1:dir/sub", ["https", "github.com", "/a/b.git", "v1", "dir/sub"]],
    ["https://github.com/a/b.git#:dir/", ["https", "github.com", "/a/b.git", "", "dir"]],
    ["https://user:pass@host:8443/b.git#a/b", ["https", "host:8443", "/b.git", "a/b", ""]],
    ["http://host/a%20b.git", ["http", "host", "/a b.git", "", ""]],
    ["git://host/a", ["git", "host", "/a", "", ""]],
    ["GIT://host/a", ["git", "host", "/a", "", ""]],
    ["ssh://git@host:2222/a/b#main", ["ssh", "host:2222", "/a/b", "main", ""]],
    ["git@github.com:a/b.git#main:x", ["ssh", "github.com", "a/b.git", "main", "x"]],
    ["git@github.com:a/b", ["ssh", "github.com", "a/b", "", ""]],
    ["https://host/b.git#v1:../../x", ["https", "host", "/b.git", "v1", "x"]],
  ];
  for (const [text, expected] of cases) assert.deepEqual(brief(text), expected, text);
});

test("parseGitUrl() keeps query and fragment out of the remote", () => {
  assert.equal(parsed("https://u:p@host/a.git?ref=x#x:d").remote, "https://u:p@host/a.git");
  assert.equal(parsed("git@host:a.git?ref=x").remote, "git@host:a.git");
});

test("parseGitUrl() takes github.com/owner/repository as https, and says that it may be a path", () => {
  const { remote, ambiguous, ref } = parsed("github.com/moby/buildkit#main");
  assert.deepEqual([remote, ambiguous, ref], ["https://github.com/moby/buildkit", true, "main"]);
  assert.equal(parsed("https://github.com/moby/buildkit.git").ambiguous, false);
});

test("parseGitUrl() leaves paths and downloads alone", () => {
  const texts = ["a/b.git", "./git@host:a", "https://host/a.tar.gz", "https://host/a.git/info", "ftp://host/a.git", "a:b", "", "file:///a.git"];
  for (const text of texts) assert.equal(parseGitUrl(text), null, text);
});

test("parseGitUrl() reads the query", () => {
  const { ref, subdir, checksum, keepGitDir, submodules, mtime } = parsed(
    `https://host/a.git?ref=main&subdir=d/e&checksum=ABC123&keep-git-dir=true&submodules=0&mtime=commit`,
  );
  assert.deepEqual([ref, subdir, checksum, keepGitDir, submodules, mtime], ["main", "d/e", "abc123", true, false, "commit"]);
  assert.equal(parsed("https://host/a.git?tag=v1").ref, "refs/tags/v1");
  assert.equal(parsed("https://host/a.git?branch=refs/heads/x").ref, "refs/heads/x");
  assert.equal(parsed("https://host/a.git?keep-git-dir").keepGitDir, true);
  assert.equal(parsed("https://host/a.git").keepGitDir, null);
  assert.equal(parsed(`https://host/a.git?fetch-by-commit&commit=${commit}`).fetchByCommit, true);
});

test("parseGitUrl() takes a value given twice alike", () => {
  assert.equal(parsed("https://host/a.git?ref=main#main").ref, "main");
  assert.equal(parsed("https://host/a.git?subdir=d#:d").subdir, "d");
});

test("parseGitUrl() refuses a query that is unknown, empty, repeated or conflicts", () => {
  const queries = ["reff=x", "ref=", "ref=a&ref=b", "ref=a#b", "tag=a&branch=b", "tag=a#a", "subdir=a#:b", "checksum=xyz"];
  const more = ["checksum=ab&commit=cd", "submodules=maybe", "mtime=now", "fetch-by-commit", "fetch-by-commit&checksum=abc"];
  for (const query of [...queries, ...more]) {
    assert.throws(() => parseGitUrl(`https://host/a.git?${query}`), (error) => hasCode(error, "invalid_argument"), query);
  }
});

test("parseGitUrl() refuses what git or ssh could take for an option", () => {
  const texts = [
    "ext::sh -c touch% /tmp/x",
    "ssh://-oProxyCommand=x/a",
    "ssh://-x@host/a",
    "git@-oProxyCommand:a",
    "git@host:-x",
    "git@host:/-x",
    "git://-host/a",
    "https://host/a.git#--upload-pack=x",
    "https://host/a.git?ref=--upload-pack%3Dx",
    "https://host/a.git#a%0ab",
    "https://host/a%zz.git",
    "https:///a.git",
  ];
  for (const text of texts) assert.throws(() => parseGitUrl(text), (error) => hasCode(error, "invalid_argument"), text);
});

test("parseGitUrl() proposes the nearest option", () => {
  assert.throws(() => parseGitUrl("https://host/a.git?keep-git-dri"), (error) => isTbuildError(error) && /keep-git-dir/.test(error.hint ?? ""));
});

test("parseGitUrl() and redacted() never show credentials", () => {
  assert.equal(redacted("https://user:token@host/a.git#x"), "https://***@host/a.git#x");
  assert.equal(redacted("git@host:a"), "git@host:a");
  assert.throws(() => parseGitUrl("https://user:token@host/a.git?x=1"), (error) => !String(error).includes("token"));
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { gitSource } from "./gitSource.js";
import { parseGitUrl } from "./gitUrl.js";

const source = (text: string, options = {}) => gitSource(parseGitUrl(text)!, options);
const auth = { "git.authheadersecret": "GIT_AUTH_HEADER", "git.authtokensecret": "GIT_AUTH_TOKEN" };

test("gitSource() gives the same identifier whatever the protocol", () => {
  const texts = ["https://github.com/a/b.git#v1:d", "git@github.com:a/b.git#v1:d", "ssh://git@github.com/a/b.git?ref=v1&subdir=d"];
  for (const text of texts) assert.equal(source(text).identifier, "git://github.com/a/b.git#v1:d", text);
  assert.equal(source("https://github.com/a/b.git").identifier, "git://github.com/a/b.git");
  assert.equal(source("https://github.com/a/b.git#:d").identifier, "git://github.com/a/b.git#:d");
});

test("gitSource() puts what is not the default into attributes", () => {
  assert.deepEqual(source("https://h/b.git").attrs, { ...auth, "git.fullurl": "https://h/b.git" });
  const ssh = source("git@h:b.git?submodules=false&mtime=commit&checksum=ab&keep-git-dir").attrs;
  assert.deepEqual(ssh, {
    ...auth,
    "git.fullurl": "git@h:b.git",
    "git.checksum": "ab",
    "git.keepgitdir": "true",
    "git.mountsshsock": "default",
    "git.mtime": "commit",
    "git.skipsubmodules": "true",
  });
});

test("gitSource() lets its options win over the URL", () => {
  const { attrs } = source("https://h/b.git?checksum=ab&keep-git-dir", { checksum: "cd", keepGitDir: false });
  assert.deepEqual([attrs["git.checksum"], attrs["git.keepgitdir"]], ["cd", undefined]);
});

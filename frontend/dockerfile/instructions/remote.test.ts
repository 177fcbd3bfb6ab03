import assert from "node:assert/strict";
import { test } from "node:test";
import { isGit, isHttp } from "./remote.js";

const cases: Readonly<Record<string, "git" | "http" | "path">> = {
  "https://example.com/a.tar": "http",
  "http://example.com/a?x=.git": "http",
  "https://example.com/a.git": "git",
  "https://example.com/a.git#main:sub": "git",
  "https://example.com/a.git?ref=v1": "git",
  "https://example.com/a.git/info": "http",
  "git://example.com/a": "git",
  "ssh://git@example.com/a": "git",
  "git@example.com:a/b.git": "git",
  "github.com/a/b": "path",
  "a@b": "path",
  "./https:/x": "path",
};

for (const [source, kind] of Object.entries(cases)) {
  test(`isGit() and isHttp() take "${source}" for ${kind}`, () => {
    assert.equal(isGit(source) ? "git" : isHttp(source) ? "http" : "path", kind);
  });
}

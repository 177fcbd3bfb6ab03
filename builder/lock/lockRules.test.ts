import assert from "node:assert/strict";
import { test } from "node:test";
import { gitSource } from "../../frontend/dockerfile/gitSource.js";
import { parseGitUrl } from "../../frontend/dockerfile/gitUrl.js";
import { hasCode } from "../../cache/errors.js";
import { evaluateRules } from "../policy/evaluate.js";
import type { PolicySource } from "../policy/policy.js";
import { lockRules } from "./lockRules.js";

const digest = `sha256:${"a".repeat(64)}`;
const commit = "b".repeat(40);
const rules = [
  lockRules([
    { kind: "images", name: "docker.io/library/nginx:latest", pin: digest },
    { kind: "git", name: "https://example.com/a.git", pin: commit },
    { kind: "git", name: "git@example.com:a.git#v2", pin: commit },
    { kind: "urls", name: "https://example.com/tool", pin: digest },
  ]),
];

function read(identifier: string, attrs: PolicySource["attrs"] = {}): string | null {
  try {
    const read = evaluateRules(rules, { identifier, attrs, platform: null });
    return read.attrs["http.checksum"] ?? read.identifier;
  } catch (error) {
    assert.ok(hasCode(error, "permission_denied"), String(error));
    return null;
  }
}

function readGit(url: string): string | null {
  const { identifier, attrs } = gitSource(parseGitUrl(url)!);
  return read(identifier, attrs);
}

test("lockRules() makes names what the lock says, for directories of repositories too", () => {
  assert.equal(read("docker-image://nginx"), `docker-image://docker.io/library/nginx:latest@${digest}`);
  assert.equal(read("https://example.com/tool"), digest);
  assert.equal(readGit("https://example.com/a.git"), `git://example.com/a.git#${commit}`);
  assert.equal(readGit("https://example.com/a.git#:dir/sub"), `git://example.com/a.git#${commit}:dir/sub`);
  assert.equal(readGit("git@example.com:a.git#v2:dir"), `git://example.com/a.git#${commit}:dir`);
});

test("lockRules() denies other names, and those of other protocols", () => {
  for (const other of ["docker-image://nginx:1", "https://example.com/tool2", "http://example.com/tool"]) assert.equal(read(other), null, other);
  for (const other of ["https://example.com/a.git#v2", "git@example.com:a.git", "https://example.com/b.git"]) assert.equal(readGit(other), null, other);
});

test("lockRules() lets what is of this machine, and what has a digest", () => {
  const free = ["local://context", "oci-layout://x@sha256:1", `docker-image://nginx@${digest}`, `git://h/a.git#${"c".repeat(40)}:dir`];
  for (const one of free) assert.equal(read(one)?.split("://")[0], one.split("://")[0], one);
  assert.equal(read("https://other.test/x", { "http.checksum": digest }), digest);
  assert.equal(readGit(`https://other.test/a.git?ref=v1&checksum=${"c".repeat(40)}`), "git://other.test/a.git#v1");
});

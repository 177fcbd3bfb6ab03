import assert from "node:assert/strict";
import { test } from "node:test";
import { isTbuildError, type TbuildError } from "../../cache/errors.js";
import type { SourceLock } from "./lock.js";
import { formatLock, parseLock } from "./lockFile.js";

const digest = `sha256:${"a".repeat(64)}`;
const commit = "b".repeat(40);
const lock: SourceLock = [
  { kind: "images", name: "docker.io/library/alpine:3.20", pin: digest },
  { kind: "images", name: "docker.io/library/nginx:1.27", pin: digest },
  { kind: "git", name: "git@example.com:a/b.git", pin: commit },
  { kind: "git", name: "https://example.com/a.git#v2", pin: commit },
  { kind: "urls", name: "https://example.com/tool?v=1", pin: digest },
];

function refused(text: string): TbuildError {
  try {
    parseLock(text, "tbuild.lock");
  } catch (error) {
    assert.ok(isTbuildError(error));
    return error;
  }
  return assert.fail("it should have been refused");
}

test("formatLock() writes one sorted line an entry, and parseLock() reads it back", () => {
  const text = formatLock([...lock].reverse());
  assert.equal(
    text,
    `{
  "version": 1,
  "images": {
    "docker.io/library/alpine:3.20": "${digest}",
    "docker.io/library/nginx:1.27": "${digest}"
  },
  "git": {
    "git@example.com:a/b.git": "${commit}",
    "https://example.com/a.git#v2": "${commit}"
  },
  "urls": {
    "https://example.com/tool?v=1": "${digest}"
  }
}
`,
  );
  assert.deepEqual(parseLock(text, "tbuild.lock"), lock);
  assert.deepEqual(parseLock(formatLock([]), "tbuild.lock"), []);
});

test("parseLock() says in which line a file is damaged", () => {
  const text = formatLock(lock);
  const line = (changed: string) => {
    const { at, message } = refused(changed);
    return [at?.start.line, message.replace(/^Cannot read "tbuild.lock": /, "")];
  };
  assert.deepEqual(line(text.replace(`${digest}",`, `${digest}"`)), [5, "it is no JSON"]);
  assert.deepEqual(line(text.slice(0, -6)), [13, "it is no JSON"]);
  assert.deepEqual(line(text.replace(`1.27": "${digest}`, '1.27": "sha256:1')), [5, '"sha256:1" is no digest']);
  assert.deepEqual(line(text.replace(`v2": "${commit}"`, 'v2": "main"')), [9, '"main" is no commit']);
  assert.deepEqual(line(text.replace("docker.io/library/nginx", "nginx")), [5, '"nginx:1.27" is no full name of an image with a tag']);
  assert.deepEqual(line(text.replace("https://example.com/a.git", "https://example.com/a")), [9, '"https://example.com/a#v2" is no URL of a Git repository']);
  assert.deepEqual(line(text.replace("urls", "links")), [11, '"links" is none of images, git, urls']);
  assert.deepEqual(line(text.replace("alpine:3.20", "nginx:1.27")), [5, '"docker.io/library/nginx:1.27" is there twice']);
  assert.deepEqual(line("[]"), [1, "it is no JSON object"]);
});

test("parseLock() refuses a version that it does not know, and tells of both sides of a merge", () => {
  assert.equal(refused('{"version": 2}').code, "unsupported");
  assert.match(refused(`{"version": 1,\n<<<<<<< ours\n"images": {}\n=======\n`).hint ?? "", /both sides of a merge/);
});

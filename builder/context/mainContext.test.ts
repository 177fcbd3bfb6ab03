import assert from "node:assert/strict";
import { test } from "node:test";
import { isTbuildError } from "../../cache/errors.js";
import { digestOf } from "../../cache/oci/digest.js";
import { parseMainContext } from "./mainContext.js";

for (const [text, kind] of [
  [".", "directory"],
  ["/a/b.git", "directory"],
  ["-", "stdin"],
  ["https://example.com/a.git", "git"],
  ["https://example.com/a.git#branch:dir", "git"],
  ["git://example.com/a", "git"],
  ["ssh://git@example.com:22/a.git", "git"],
  ["git@example.com:a/b", "git"],
  ["github.com/a/b", "git"],
  ["https://example.com/a.tar.gz", "http"],
  ["https://github.com/a/b/archive/v1.tar.gz?x=1", "http"],
] as const) {
  test(`parseMainContext("${text}") is a ${kind}`, () => assert.equal(parseMainContext(text).kind, kind));
}

test("parseMainContext() takes a checksum behind a download, and shows no secret of its URL", () => {
  const context = parseMainContext(`https://u:p4ss@example.com/a.tgz?token=s3cret#checksum=${digestOf("x")}`);
  assert.ok(context.kind === "http");
  assert.equal(context.checksum, digestOf("x"));
  assert.equal(context.shown, "https://***@example.com/a.tgz");
  assert.equal(context.url, "https://u:p4ss@example.com/a.tgz?token=s3cret");
});

for (const [text, message] of [
  ["gs://bucket/a", /"gs" is no kind of context/],
  ["https://example.com/a.tgz#main", /"main" is no checksum/],
  ["https://exa mple/", /not a URL/],
  ["ext::sh -c id", /runs programs/],
] as const) {
  test(`parseMainContext("${text}") is refused`, () => {
    assert.throws(() => parseMainContext(text), (error) => isTbuildError(error) && message.test(error.message) && !error.message.includes("p4ss"));
  });
}

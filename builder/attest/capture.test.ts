import assert from "node:assert/strict";
import { test } from "node:test";
import { emptyCapture, mergeCaptures } from "./capture.js";

const image = (reference: string) => ({ reference, platform: null, digest: "", layout: false });

test("mergeCaptures() has each thing once, sorted, and without logins", () => {
  const merged = mergeCaptures([
    { ...emptyCapture, images: [image("docker.io/library/b:1")], http: [{ url: "https://u:p@example.com/f", digest: "sha256:1" }], secrets: [{ id: "s", optional: true }] },
    { ...emptyCapture, images: [image("docker.io/library/a:1"), image("docker.io/library/b:1")], http: [{ url: "https://u:p@example.com/f", digest: "sha256:1" }], secrets: [{ id: "s" }], network: true },
  ]);
  assert.deepEqual(merged.images.map(({ reference }) => reference), ["docker.io/library/a:1", "docker.io/library/b:1"]);
  assert.deepEqual(merged.http, [{ url: "https://xxxxx:xxxxx@example.com/f", digest: "sha256:1" }]);
  assert.deepEqual([merged.secrets, merged.network, merged.incomplete], [[{ id: "s" }], true, false]);
});

test("mergeCaptures() leaves out a pinned image whose tag is there", () => {
  const pinned = `docker.io/library/a:1@sha256:${"0".repeat(64)}`;
  const other = `docker.io/library/c@sha256:${"0".repeat(64)}`;
  const { images } = mergeCaptures([{ ...emptyCapture, images: [image(pinned), image("docker.io/library/a:1"), image(other)] }]);
  assert.deepEqual(images.map(({ reference }) => reference), ["docker.io/library/a:1", other]);
});

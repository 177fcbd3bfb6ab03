import assert from "node:assert/strict";
import { test } from "node:test";
import type { Vertex } from "../../solver/graph.js";
import { captureGraph } from "./captureGraph.js";
import { materialsOf } from "./materials.js";

const hex = "a".repeat(64);
const step = (identifier: string, attrs = {}) => ({ op: { platform: null, body: { kind: "source", identifier, attrs } } }) as unknown as Vertex;

test("blobs are materials by their digests, each once", async () => {
  const names = [`docker-image+blob://localhost:5000/a/b@sha256:${hex}`, `oci-layout+blob://docker.io/not/real@sha256:${hex}`];
  const capture = await captureGraph([...names, ...names].map((name) => step(name)), () => Promise.reject(new Error("nobody has to be asked")));
  assert.equal(capture.incomplete, false);
  assert.deepEqual(materialsOf(capture), [
    { uri: `pkg:oci/not/real?digest=sha256:${hex}&ref_type=blob`, digest: { sha256: hex } },
    { uri: `pkg:docker/localhost%3A5000/a/b?digest=sha256:${hex}&ref_type=blob`, digest: { sha256: hex } },
  ]);
});

test("a bundle is a material besides the repository that it is of", async () => {
  const commit = "b".repeat(40);
  const attrs = { "git.fullurl": "http://example.com/.git", "git.checksum": commit, "git.bundle": `docker-image+blob://localhost:5000/a@sha256:${hex}` };
  const meta = { kind: "git", ref: "refs/heads/main", checksum: commit, commit, objects: () => Promise.reject(new Error()) } as const;
  const capture = await captureGraph([step("git://example.com/.git#main", attrs)], async () => ({ attributes: {}, meta }));
  assert.deepEqual(materialsOf(capture), [
    { uri: "http://example.com/.git#main", digest: { sha1: commit } },
    { uri: "pkg:docker/localhost%3A5000/a@latest?ref_type=bundle&vcs_url=http:%2F%2Fexample.com%2F.git%23main", digest: { sha256: hex } },
  ]);
});

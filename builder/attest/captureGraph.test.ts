import assert from "node:assert/strict";
import { test } from "node:test";
import type { Vertex } from "../../solver/graph.js";
import { captureGraph } from "./captureGraph.js";
import { materialsOf } from "./materials.js";

const hex = "a".repeat(64);
const step = (identifier: string) => ({ op: { platform: null, body: { kind: "source", identifier, attrs: {} } } }) as unknown as Vertex;

test("blobs are materials by their digests, each once", async () => {
  const names = [`docker-image+blob://localhost:5000/a/b@sha256:${hex}`, `oci-layout+blob://docker.io/not/real@sha256:${hex}`];
  const capture = await captureGraph([...names, ...names].map(step), () => Promise.reject(new Error("nobody has to be asked")));
  assert.equal(capture.incomplete, false);
  assert.deepEqual(materialsOf(capture), [
    { uri: `pkg:oci/not/real?digest=sha256:${hex}&ref_type=blob`, digest: { sha256: hex } },
    { uri: `pkg:docker/localhost%3A5000/a/b?digest=sha256:${hex}&ref_type=blob`, digest: { sha256: hex } },
  ]);
});

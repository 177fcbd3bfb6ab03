import assert from "node:assert/strict";
import { test } from "node:test";
import { hasCode } from "../../../cache/errors.js";
import { digestOf } from "../../../cache/oci/digest.js";
import { clientContexts } from "./contexts.js";
import type { FrontendHost } from "./host.js";

const host: FrontendHost = { inputs: new Map(), open: () => assert.fail("nothing is to be opened") };

test("clientContexts() reads image layouts, which have a digest", async () => {
  const digest = digestOf("x");
  const given = { "context:a": `oci-layout://id:v1@${digest}`, "context:b": `oci-layout://registry.example/name@${digest}` };
  const contexts = await clientContexts(given, host);
  assert.deepEqual(contexts.get("a"), { kind: "oci-layout", path: "id", tag: "v1", digest });
  assert.deepEqual(contexts.get("b"), { kind: "oci-layout", path: "registry.example/name", tag: null, digest });
  for (const bad of ["oci-layout://id", "oci-layout://id@sha256:short", "oci-layout://"]) {
    await assert.rejects(clientContexts({ "context:a": bad }, host), (error) => hasCode(error, "invalid_argument") || hasCode(error, "invalid_digest"), bad);
  }
});

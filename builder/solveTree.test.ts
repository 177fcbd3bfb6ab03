import assert from "node:assert/strict";
import { test } from "node:test";
import { hasCode } from "../cache/errors.js";
import { base, withGraphs } from "../fixtures/testGraph.js";
import { exec, output } from "../solver/llb/state.js";

test("solveTree() refuses what a build may not do, before anything runs", async () => {
  await withGraphs(async ({ run }) => {
    const asking = (more: object) => output(exec({ meta: { args: ["true"] }, mounts: [{ dest: "/", from: base, keep: true }], ...more }));
    await assert.rejects(run(asking({ security: "insecure" })), (error) => hasCode(error, "permission_denied"));
    await assert.rejects(run(asking({ network: "host" })), (error) => hasCode(error, "permission_denied"));
    await assert.rejects(run(asking({ secretEnv: [{ id: "s", name: "S", optional: false }] })), (error) => hasCode(error, "not_found"));
  });
});

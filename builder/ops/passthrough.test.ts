import assert from "node:assert/strict";
import { test } from "node:test";
import { hasCode } from "../../cache/errors.js";
import { base, withGraphs } from "../../fixtures/testGraph.js";
import { exec, file, node, type Output, output } from "../../solver/llb/state.js";

function made(name: string): Output {
  return file(null, [{ action: { kind: "mkfile", path: name, mode: 0o644, data: Buffer.from(name), owner: null, timestamp: -1n } }]);
}

test("a PassthroughOp gives the inputs that it names", async () => {
  await withGraphs(async ({ run }) => {
    const step = node({ kind: "passthrough", id: "both", outputs: [2, 0] }, [made("/a"), made("/b"), made("/c")]);
    assert.deepEqual(await run(output(step, 0)), await run(made("/c")));
    assert.deepEqual(await run(output(step, 1)), await run(made("/a")));
  });
});

test("a PassthroughOp fails when an input fails that it does not give", async () => {
  await withGraphs(async ({ run }) => {
    const check = output(exec({ meta: { args: ["/bin/sh", "-c", "exit 3"] }, mounts: [{ dest: "/", from: base, keep: true }] }));
    const step = node({ kind: "passthrough", id: "checked", outputs: [0] }, [made("/a"), check]);
    await assert.rejects(run(output(step)), (error) => hasCode(error, "process_failed"));
  });
});

test("a PassthroughOp has an id, and only gives inputs that it has", async () => {
  await withGraphs(async ({ run }) => {
    for (const body of [{ id: "", outputs: [0] }, { id: "x", outputs: [1] }, { id: "x", outputs: [-1] }, { id: "x", outputs: [] }]) {
      await assert.rejects(run(output(node({ kind: "passthrough", ...body }, [made("/a")]))), (error) => hasCode(error, "invalid_argument"));
    }
  });
});

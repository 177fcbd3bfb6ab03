import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { hasCode } from "../../cache/errors.js";
import { base, withGraphs } from "../../fixtures/testGraph.js";
import { encodeDefinition } from "../../solver/llb/codec.js";
import { marshal } from "../../solver/llb/marshal.js";
import { exec, file, node, type Output, output } from "../../solver/llb/state.js";

const DEFINITION = "buildkit.llb.definition";

function holding(name: string, data: Uint8Array): Output {
  return file(null, [{ action: { kind: "mkfile", path: name, mode: 0o644, data, owner: null, timestamp: -1n } }]);
}

function built(from: Output, attrs: Readonly<Record<string, string>> = {}): Output {
  return output(node({ kind: "build", builder: -1, inputs: { [DEFINITION]: 0 }, def: null, attrs }, [from]));
}

const definitionOf = (graph: Output): Uint8Array => encodeDefinition(marshal(graph, []));

function ran(script: string, insecure = false): Output {
  const meta = { args: ["/bin/sh", "-c", script] };
  return output(exec({ meta, ...(insecure ? { security: "insecure" } : {}), mounts: [{ dest: "/", from: base, keep: true }] }));
}

test("a BuildOp runs the graph that is in a file of its input", async () => {
  await withGraphs(async ({ read }) => {
    const inner = definitionOf(ran("echo inner > /made"));
    const made = (root: string) => readFileSync(path.join(root, "made"), "utf8");
    assert.equal(await read(built(holding(`/${DEFINITION}`, inner)), made), "inner\n");
    const named = holding("/other.llb", inner);
    assert.equal(await read(built(named, { "llbbuild.filename": "other.llb" }), made), "inner\n");
    const twice = definitionOf(built(named, { "llbbuild.filename": "/other.llb" }));
    assert.equal(await read(built(holding(`/${DEFINITION}`, twice)), made), "inner\n");
  });
});

test("a BuildOp refuses a file that is none or no definition, and what its graph may not do", async () => {
  await withGraphs(async ({ run }) => {
    const failing = async (from: Output, code: Parameters<typeof hasCode>[1]) => assert.rejects(run(built(from)), (error) => hasCode(error, code));
    await failing(holding("/another", Buffer.from("x")), "not_found");
    await failing(holding(`/${DEFINITION}`, Buffer.from([0xff, 0xff])), "invalid_argument");
    await failing(holding(`/${DEFINITION}`, definitionOf(ran("true", true))), "permission_denied");
  });
});

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { base, withGraphs } from "../../../fixtures/testGraph.js";
import { loadGraph, topologicalOrder } from "../../../solver/graph.js";
import { marshal } from "../../../solver/llb/marshal.js";
import { emptyMetadata, exec, node, output } from "../../../solver/llb/state.js";
import { cacheForgetter } from "./forgottenCaches.js";

const cache = { kind: "cache", id: "c", sharing: "shared" } as const;

function step(script: string, ignoreCache = false) {
  const made = exec({ meta: { args: ["/bin/sh", "-c", script] }, mounts: [{ dest: "/", from: base, keep: true }, { dest: "/c", type: cache }] });
  return output(node(made.body, made.inputs, { platform: made.platform, metadata: { ...emptyMetadata, ignoreCache } }));
}

test("cacheForgetter() empties the cache mounts of steps that are not to be cached, once", async () => {
  await withGraphs(async ({ store, read }) => {
    const count = async (script: string) => await read(step(`echo x >> /c/f; wc -l < /c/f > /n; : ${script}`), (root) => readFileSync(`${root}/n`, "utf8").trim());
    const stepsOf = (ignoreCache: boolean) => topologicalOrder(loadGraph(marshal(step("true", ignoreCache), [])));
    const forget = cacheForgetter(store);
    assert.equal(await count("1"), "1");
    await forget(stepsOf(false));
    assert.equal(await count("2"), "2");
    await forget(stepsOf(true));
    assert.equal(await count("3"), "1");
    await forget(stepsOf(true));
    assert.equal(await count("4"), "2");
  });
});

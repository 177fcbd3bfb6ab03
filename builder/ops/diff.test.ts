import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { hasCode } from "../../cache/errors.js";
import { snapshotChain } from "../../cache/snapshot/chain.js";
import type { Store } from "../../cache/store.js";
import { base, type TestGraph, withGraphs } from "../../fixtures/testGraph.js";
import { diff, exec, file, merge, type Output, output } from "../../solver/llb/state.js";
import { layersOf, snapshotLayer } from "../image/layers.js";

/** What a shell leaves of a tree. */
function after(from: Output, script: string): Output {
  return output(exec({ meta: { args: ["/bin/sh", "-c", script], env: ["PATH=/bin:/usr/bin"] }, mounts: [{ dest: "/", from, keep: true }] }));
}

function made(name: string, text = name): Output {
  return file(null, [{ action: { kind: "mkfile", path: name, mode: 0o644, data: Buffer.from(text), owner: null, timestamp: -1n } }]);
}

const list = (dir: string) => (root: string) => readdirSync(path.join(root, dir)).sort();

async function diffIds(store: Store, { run }: TestGraph, graph: Output): Promise<readonly string[]> {
  const ref = await run(graph);
  assert.ok(ref.kind === "snapshot");
  return (await layersOf(store, ref.name, (name) => snapshotLayer(store, name))).map(({ diffId }) => diffId);
}

test("a DiffOp with nothing below is the tree, of a tree with itself it is nothing", async () => {
  await withGraphs(async ({ run, read }) => {
    const one = made("/a");
    assert.deepEqual(await run(diff(null, one)), await run(one));
    assert.deepEqual(await run(diff(null, null)), { kind: "snapshot", name: null });
    assert.deepEqual(await run(diff(one, one)), { kind: "snapshot", name: null });
    assert.deepEqual(await read(merge([base, diff(one, one)]), list("/")), await read(base, list("/")));
  });
});

test("a DiffOp of a tree that was made on the other one has the layers in between", async () => {
  await withGraphs(async (graphs) => {
    const { store, run, read } = graphs;
    const lower = after(base, "mkdir -p /d/e && echo 1 > /d/e/gone && echo 1 > /d/e/kept");
    const middle = after(lower, "rm /d/e/gone && echo 2 > /middle");
    const upper = after(middle, "echo 3 > /top && rm -r /d");
    const between = diff(lower, upper);
    assert.deepEqual(await read(between, list("/")), ["middle", "top"]);
    const ids = await diffIds(store, graphs, upper);
    assert.deepEqual(await diffIds(store, graphs, between), ids.slice(-2));
    // What it takes away is not seen, but goes along.
    assert.deepEqual(await read(diff(lower, middle), list("/")), ["d", "middle"]);
    assert.deepEqual(await read(diff(lower, middle), list("/d/e")), []);
    const again = merge([lower, between]);
    assert.deepEqual(await read(again, list("/")), await read(upper, list("/")));
    assert.deepEqual((await diffIds(store, graphs, again)).slice(-2), ids.slice(-2));
    const ref = await run(between);
    assert.equal((await snapshotChain(store.snapshots, ref.kind === "snapshot" ? ref.name : null)).length, 2);
  });
});

test("a DiffOp of trees that have nothing to do with each other compares their files", async () => {
  await withGraphs(async (graphs) => {
    const { read } = graphs;
    const lower = after(base, "mkdir -p /x/sub && echo same > /x/same && echo old > /x/changed && echo 1 > /x/sub/gone");
    const without = after(base, "mkdir /x && echo new > /x/changed && echo 2 > /y");
    assert.deepEqual(await read(diff(lower, without), list("/")), ["x", "y"]);
    assert.deepEqual(await read(diff(lower, without), list("/x")), ["changed"]);
    const rebuilt = merge([lower, diff(lower, without)]);
    assert.deepEqual(await read(rebuilt, list("/x")), ["changed"]);
    assert.equal(await read(rebuilt, (root) => readFileSync(path.join(root, "x/changed"), "utf8")), "new\n");
    assert.equal((await diffIds(graphs.store, graphs, diff(lower, without))).length, 1);
  });
});

test("a DiffOp with nothing above takes everything away", async () => {
  await withGraphs(async ({ read }) => {
    const lower = made("/a");
    const both = merge([lower, made("/b")]);
    assert.deepEqual(await read(diff(lower, null), list("/")), []);
    assert.deepEqual(await read(merge([both, diff(lower, null)]), list("/")), ["b"]);
  });
});

test("a process runs on a DiffOp, and sees nothing of what that takes away", async () => {
  await withGraphs(async ({ read }) => {
    const lower = after(base, "mkdir /d && touch /d/gone");
    const upper = after(lower, "rm /d/gone && touch /d/new");
    const tool = output(
      exec({
        meta: { args: ["/bin/sh", "-c", "ls -A /in/d > /out/list; rm -r /in/d && test ! -e /in/d"] },
        mounts: [{ dest: "/", from: base }, { dest: "/in", from: diff(lower, upper) }, { dest: "/out", keep: true }],
      }),
    );
    assert.equal(await read(tool, (root) => readFileSync(path.join(root, "list"), "utf8")), "new\n");
    assert.equal(await read(file(diff(lower, upper), [{ action: { kind: "rm", path: "/d", allowNotFound: false, allowWildcard: false } }]), (root) => existsSync(path.join(root, "d"))), false);
  });
});

test("a DiffOp that has to keep what is gone is refused where snapshots are whole trees", async () => {
  await withGraphs(async ({ run }) => {
    await assert.rejects(run(diff(made("/a"), made("/b"))), (error) => hasCode(error, "unsupported"));
    assert.deepEqual(await run(diff(made("/a"), made("/a"))), { kind: "snapshot", name: null });
  }, "copy");
});

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import type { Ref } from "../../cache/ref.js";
import type { Store } from "../../cache/store.js";
import { base, type TestGraph, withGraphs } from "../../fixtures/testGraph.js";
import { raisedOf } from "../../solver/errors.js";
import type { FileOpAction } from "../../solver/llb/op.js";
import { exec, file, node, type Output, output } from "../../solver/llb/state.js";
import { type FailedStep, failedStepOf, failedTrees } from "./failedStep.js";
import { openTree } from "./trees.js";

const mkfile = (name: string): FileOpAction["action"] => ({ kind: "mkfile", path: name, mode: 0o644, data: Buffer.from(name), owner: null, timestamp: -1n });
const made = (name: string): Output => file(null, [{ action: mkfile(name) }]);
const names = (root: string) => readdirSync(root).sort();

async function snapshots(store: Store): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const { name, kind } of store.snapshots.walk()) found.push(`${kind} ${name}`);
  return found.sort();
}

/** Looks into a step that fails when everything that `ready` needs has run; nothing may be left afterwards. */
async function withFailure({ store, run }: TestGraph, ready: readonly Output[], graph: Output, look: (step: FailedStep, read: Read) => Promise<void>): Promise<void> {
  for (const one of ready) await run(one);
  const before = await snapshots(store);
  {
    await using failed = failedTrees(store);
    const error = await run(graph, failed).then(() => assert.fail("It has not failed"), (cause: unknown) => cause);
    const step = failedStepOf(raisedOf(error));
    assert.ok(step !== undefined);
    await look(step, async (ref, reader) => {
      assert.ok(ref !== null && ref !== undefined);
      await using tree = await openTree(store, ref);
      return reader(tree.path);
    });
  }
  assert.deepEqual(await snapshots(store), before);
}

type Read = <T>(ref: Ref | null | undefined, reader: (root: string) => T) => Promise<T>;

test("a failed ExecOp leaves its mounts as they are, with and without output, until they are disposed", async () => {
  await withGraphs(async (graphs) => {
    const step = exec({
      meta: { args: ["/bin/sh", "-c", "echo 1 > /f; echo 2 > /out/f; echo 3 > /lost/f; false"] },
      mounts: [
        { dest: "/", from: base, keep: true },
        { dest: "/out", keep: true },
        { dest: "/lost", from: made("/a") },
        { dest: "/same", from: made("/s"), readonly: true },
        { dest: "/none", readonly: true },
      ],
    });
    await withFailure(graphs, [base, made("/a"), made("/s")], output(step), async ({ inputs, mounts, subject }, read) => {
      assert.equal(subject, null);
      assert.equal(await read(mounts[0], (root) => readFileSync(path.join(root, "f"), "utf8")), "1\n");
      assert.deepEqual(await read(mounts[1], names), ["f"]);
      assert.deepEqual(await read(mounts[2], names), ["a", "f"]);
      assert.deepEqual(await read(inputs[2], names), ["a"]);
      assert.equal(mounts[3], inputs[3]);
      assert.deepEqual([inputs[1], mounts[4]], [null, null]);
    });
  });
});

test("a failed FileOp leaves what its actions have made, by action", async () => {
  await withGraphs(async (graphs) => {
    const copy = { kind: "copy", src: "/a", dest: "/not/there/a" } as const;
    const defaults = { owner: null, mode: -1, modeStr: "", followSymlink: false, dirCopyContents: false, attemptUnpack: false, createDestPath: false, allowWildcard: false, allowEmptyWildcard: false, timestamp: -1n, includePatterns: [], excludePatterns: [], alwaysReplaceExistingDestPaths: false, requiredPaths: [] };
    const step = node(
      {
        kind: "file",
        actions: [
          { input: -1, secondaryInput: -1, output: -1, action: mkfile("/a") },
          { input: 0, secondaryInput: -1, output: -1, action: mkfile("/b") },
          { input: 2, secondaryInput: 1, output: 0, action: { ...defaults, ...copy } },
        ],
      },
      [made("/given")],
    );
    await withFailure(graphs, [made("/given")], output(step), async ({ inputs, mounts, subject }, read) => {
      assert.deepEqual(subject, { kind: "file", index: 2 });
      assert.deepEqual(await read(inputs[0], names), ["given"]);
      assert.deepEqual(await read(mounts[0], names), ["a"]);
      assert.deepEqual(await read(mounts[2], names), ["b", "given"]);
    });
  });
});

test("a step that does not find what it mounts says in which input", async () => {
  await withGraphs(async (graphs) => {
    const mounts = [{ dest: "/", from: base, keep: true }, { dest: "/src", from: made("/a"), selector: "/missing", readonly: true }];
    const step = exec({ meta: { args: ["true"] }, mounts });
    await withFailure(graphs, [base, made("/a")], output(step), async ({ inputs, mounts: left, subject }, read) => {
      assert.deepEqual(subject, { kind: "cache", index: 1 });
      assert.deepEqual([inputs.length, left.length], [1, 0]);
      assert.deepEqual(await read(inputs[0], names), ["a"]);
    });
  });
});

test("failedTrees() removes at once what comes when it is disposed", async () => {
  await withGraphs(async ({ store, run }) => {
    const failed = failedTrees(store);
    await failed[Symbol.asyncDispose]();
    await assert.rejects(run(output(exec({ meta: { args: ["/bin/false"] }, mounts: [{ dest: "/", from: base, keep: true }] })), failed));
    const kinds: string[] = [];
    for await (const { parent, kind } of store.snapshots.walk()) kinds.push(`${kind} ${parent === null ? "base" : "step"}`);
    assert.deepEqual([...new Set(kinds)], ["committed base"]);
  });
});

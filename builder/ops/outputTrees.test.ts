import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { base, withGraphs } from "../../fixtures/testGraph.js";
import { exec, file, node, type Output, output } from "../../solver/llb/state.js";

const text = (name: string) => (root: string) => readFileSync(path.join(root, name), "utf8");
const names = (root: string) => readdirSync(root).sort();

function made(name: string, data = name): Output {
  return file(null, [{ action: { kind: "mkfile", path: name, mode: 0o644, data: Buffer.from(data), owner: null, timestamp: -1n } }]);
}

test("an ExecOp leaves a tree for each mount that has an output", async () => {
  await withGraphs(async ({ read, store }) => {
    const step = exec({
      meta: { args: ["/bin/sh", "-c", "echo 1 > /root-file; cat /in/a > /out/copy; echo 2 > /in/b; echo 3 > /lost/c"] },
      mounts: [
        { dest: "/", from: base, keep: true },
        { dest: "/out", keep: true },
        { dest: "/in", from: made("/a"), keep: true },
        { dest: "/lost", from: made("/a") },
        { dest: "/same", from: made("/s"), readonly: true, keep: true },
      ],
    });
    assert.equal(await read(output(step, 0), text("root-file")), "1\n");
    assert.equal(await read(output(step, 1), text("copy")), "/a");
    assert.deepEqual(await read(output(step, 2), names), ["a", "b"]);
    assert.deepEqual(await read(output(step, 3), names), ["s"]);
    const kinds = [];
    for await (const { kind } of store.snapshots.walk()) kinds.push(kind);
    assert.ok(kinds.every((kind) => kind === "committed"), kinds.join());
  });
});

test("an ExecOp whose root has no output leaves what it wrote elsewhere only", async () => {
  await withGraphs(async ({ read }) => {
    const of = (input: Output) =>
      exec({ meta: { args: ["/bin/sh", "-c", "echo x > /gone; echo y > /out/kept"] }, mounts: [{ dest: "/", from: base }, { dest: "/out", from: input, keep: true }] });
    assert.deepEqual(await read(output(of(made("/a"))), names), ["a", "kept"]);
    // The tree that an output starts with is part of it: other files are another result.
    assert.deepEqual(await read(output(of(made("/b"))), names), ["b", "kept"]);
  });
});

test("a FileOp leaves a tree for each action that has an output", async () => {
  await withGraphs(async ({ read }) => {
    const mkfile = (name: string) => ({ kind: "mkfile", path: name, mode: 0o644, data: Buffer.from(name), owner: null, timestamp: -1n }) as const;
    const both = node(
      {
        kind: "file",
        actions: [
          { input: -1, secondaryInput: -1, output: 1, action: mkfile("/a") },
          { input: 1, secondaryInput: -1, output: 0, action: mkfile("/b") },
          { input: 0, secondaryInput: -1, output: 2, action: mkfile("/c") },
        ],
      },
      [made("/given")],
    );
    assert.deepEqual(await read(output(both, 1), names), ["a"]);
    assert.deepEqual(await read(output(both, 0), names), ["a", "b"]);
    assert.deepEqual(await read(output(both, 2), names), ["c", "given"]);
  });
});

import assert from "node:assert/strict";
import { test } from "node:test";
import type { SourceRange } from "../../cache/errors.js";
import { digestOf } from "../../cache/oci/digest.js";
import { decodeOp, decodeTerminal, encodeDefinition } from "./codec.js";
import { marshal } from "./marshal.js";
import type { ExecOp, FileOp } from "./op.js";
import { type Output, defaultCopy, diff, exec, file, merge, output, source } from "./state.js";

const infos = [{ filename: "Dockerfile", data: new Uint8Array(), language: "Dockerfile" }];
const line = (n: number): SourceRange => ({ file: "Dockerfile", start: { line: n, column: 1 }, end: { line: n, column: 1 } });
const copy = (src: string, dest: string) => ({ ...defaultCopy, src, dest });
const run = (on: Output, command: string, n = 1): Output =>
  output(exec({ meta: { args: ["/bin/sh", "-c", command] }, mounts: [{ dest: "/", from: on, keep: true }] }, { at: [line(n)] }));

test("marshal() puts inputs before users and ends with the terminal", () => {
  const base = source("docker-image://a");
  const target = file(run(base, "make"), [{ action: copy("/x", "/y"), from: source("local://context") }]);
  const { def } = marshal(target, infos);
  const digests = def.map((bytes) => digestOf(bytes));
  assert.deepEqual(def.slice(0, -1).map((bytes) => decodeOp(bytes).body.kind), ["source", "exec", "source", "file"]);
  def.slice(0, -1).forEach((bytes, i) => {
    for (const { digest } of decodeOp(bytes).inputs) assert.ok(digests.indexOf(digest) < i);
  });
  assert.deepEqual(decodeTerminal(def.at(-1) as Uint8Array), { digest: digests.at(-2), index: 0 });
});

test("marshal() merges equal ops, their source ranges and their metadata", () => {
  const at = (n: number, ignoreCache: boolean) => source("docker-image://a", {}, { at: [line(n)], metadata: { ignoreCache } });
  const { def, metadata, source: map } = marshal(merge([at(1, false), at(2, true), at(2, false)]), infos);
  assert.equal(def.length, 3);
  const digest = digestOf(def[0] as Uint8Array);
  assert.deepEqual(map.locations.get(digest), [line(1), line(2)]);
  assert.equal(metadata.get(digest)?.ignoreCache, true);
});

test("marshal() of no output is the empty definition", () => {
  const { def, metadata } = marshal(null, []);
  assert.deepEqual([def, metadata.size], [[], 0]);
});

test("marshal() gives the same bytes whenever the graph is composed anew", () => {
  const compose = () => marshal(merge([run(source("docker-image://a"), "x"), run(source("docker-image://b"), "y")]), infos);
  assert.deepEqual(encodeDefinition(compose()), encodeDefinition(compose()));
});

test("marshal() takes a chain of 20,000 steps", () => {
  let last = source("docker-image://a");
  for (let i = 0; i < 20_000; i++) last = run(last, String(i));
  assert.equal(marshal(last, infos).def.length, 20_002);
});

test("marshal() refuses a range in a file that is not among the sources", () => {
  assert.throws(() => marshal(run(source("docker-image://a"), "x"), []), /no source of the definition/);
});

test("exec() names each input once and numbers kept mounts", () => {
  const base = source("docker-image://a");
  const { body, inputs } = exec({
    meta: { args: ["true"] },
    mounts: [
      { dest: "/", from: base, keep: true },
      { dest: "/src", from: base, readonly: true, selector: "/s" },
      { dest: "/cache", type: { kind: "cache", id: "/cache", sharing: "shared" } },
      { dest: "/out", keep: true },
    ],
  });
  assert.deepEqual(inputs, [base]);
  const mounts = (body as ExecOp).mounts.map(({ input, output, readonly }) => [input, output, readonly]);
  assert.deepEqual(mounts, [[0, 0, false], [0, -1, true], [-1, -1, false], [-1, 1, false]]);
});

test("file() chains actions and lets a copy read an earlier one", () => {
  const context = source("local://context");
  const built = file(null, [
    { action: copy("/a", "/a"), from: context },
    { action: { kind: "rm", path: "/b", allowNotFound: true, allowWildcard: false } },
    { action: copy("/a", "/c"), from: 0 },
  ]);
  const actions = (built.node.body as FileOp).actions.map(({ input, secondaryInput, output }) => [input, secondaryInput, output]);
  assert.deepEqual(actions, [[-1, 0, -1], [1, -1, -1], [2, 1, 0]]);
});

test("diff() takes the empty tree on either side", () => {
  const { body } = diff(null, source("docker-image://a")).node;
  assert.deepEqual(body, { kind: "diff", lower: -1, upper: 0 });
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { hasCode } from "../cache/errors.js";
import { digestOf } from "../cache/oci/digest.js";
import { loadGraph, loadGraphs, topologicalOrder } from "./graph.js";
import { encodeOp, encodeTerminal } from "./llb/codec.js";
import type { Definition } from "./llb/definition.js";
import { marshal } from "./llb/marshal.js";
import type { OpBody } from "./llb/op.js";
import { type Output, defaultCopy, exec, file, merge, output, source } from "./llb/state.js";

const infos = [{ filename: "Dockerfile", data: new Uint8Array(), language: "" }];
const range = { file: "Dockerfile", start: { line: 2, column: 1 }, end: { line: 2, column: 1 } };
const image = source("docker-image://a");
const invalid = (error: unknown): boolean => hasCode(error, "invalid_argument");

function define(...def: readonly Uint8Array[]): Definition {
  return { def, metadata: new Map(), source: { infos: [], locations: new Map() } };
}

function op(body: OpBody, ...inputs: readonly Uint8Array[]): Uint8Array {
  const edges = inputs.map((bytes) => ({ digest: digestOf(bytes), index: 0 }));
  return encodeOp({ inputs: edges, platform: null, constraints: null, body });
}

const leaf = op({ kind: "source", identifier: "docker-image://a", attrs: {} });
const user = op({ kind: "merge", inputs: [0] }, leaf);
const end = (bytes: Uint8Array, index = 0): Uint8Array => encodeTerminal({ digest: digestOf(bytes), index });

test("loadGraph() of an empty definition is null", () => {
  assert.equal(loadGraph(define()), null);
});

test("loadGraph() makes one vertex of equal ops, with names and places", () => {
  const again = source("docker-image://a", {}, { at: [range] });
  const named = merge([image, again], { metadata: { description: { "llb.customname": "[1/1] all" } } });
  const edge = loadGraph(marshal(named, infos));
  assert.equal(edge?.vertex.name, "[1/1] all");
  assert.equal(edge.vertex.inputs[0]?.vertex, edge.vertex.inputs[1]?.vertex);
  assert.deepEqual(edge.vertex.inputs[0]?.vertex.at, [range]);
  assert.deepEqual(topologicalOrder(edge).map(({ name }) => name), ["docker-image://a", "[1/1] all"]);
});

const derived: readonly (readonly [Output, string])[] = [
  [image, "docker-image://a"],
  [output(exec({ meta: { args: ["make", "all"] }, mounts: [{ dest: "/", from: image, keep: true }] })), "make all"],
  [file(image, [{ action: { ...defaultCopy, src: "/a", dest: "/b" }, from: image }]), "copy /a /b"],
  [file(image, [{ action: { kind: "rm", path: "/a", allowNotFound: false, allowWildcard: false } }]), "rm /a"],
  [merge([image]), "merge"],
];
for (const [target, name] of derived) {
  test(`loadGraph() names a step "${name}" when its client did not`, () => {
    assert.equal(loadGraph(marshal(target, infos))?.vertex.name, name);
  });
}

const refused: readonly (readonly [string, Definition])[] = [
  ["a missing terminal", define(leaf)],
  ["a terminal that points nowhere", define(leaf, end(user))],
  ["a dangling input", define(user, end(user))],
  ["an input after its user", define(user, leaf, end(user))],
  ["a second terminal", define(leaf, end(leaf), end(leaf))],
  ["an output that the op does not have", define(leaf, end(leaf, 1))],
  ["a negative output", define(leaf, end(leaf, -1))],
  ["an op of an unknown kind", define(Uint8Array.of(0x42, 0), end(Uint8Array.of(0x42, 0)))],
  ["bytes that are no op", define(Uint8Array.of(0xff), end(Uint8Array.of(0xff)))],
];
for (const [what, definition] of refused) {
  test(`loadGraph() refuses ${what}`, () => assert.throws(() => loadGraph(definition), invalid));
}

const copyAction = { ...defaultCopy, src: "", dest: "" };
const badBodies: readonly (readonly [string, OpBody])[] = [
  ["merge", { kind: "merge", inputs: [1] }],
  ["diff", { kind: "diff", lower: 0, upper: 1 }],
  ["diff below -1", { kind: "diff", lower: -2, upper: 0 }],
  ["build", { kind: "build", builder: 1, inputs: {}, def: null, attrs: {} }],
  ["file", { kind: "file", actions: [{ input: 1, secondaryInput: -1, output: 0, action: copyAction }] }],
  ["file output", { kind: "file", actions: [{ input: 0, secondaryInput: -1, output: 9, action: copyAction }] }],
];
for (const [what, body] of badBodies) {
  test(`loadGraph() refuses an index out of range: ${what}`, () => {
    const bad = op(body, leaf);
    assert.throws(() => loadGraph(define(leaf, bad, end(bad))), /out of range/);
  });
}

test("loadGraphs() makes one vertex of a step that several definitions have, which ignores the cache if one says so", () => {
  const step = (ignoreCache: boolean, at: typeof range) => merge([source("docker-image://a", {}, { at: [at], metadata: { ignoreCache } })]);
  const further = { ...range, start: { line: 3, column: 1 } };
  const [one, other, none] = loadGraphs([marshal(step(false, range), infos), marshal(step(true, further), infos), define()]);
  assert.equal(one?.vertex, other?.vertex);
  assert.equal(none, null);
  const shared = one?.vertex.inputs[0]?.vertex;
  assert.equal(shared?.metadata.ignoreCache, true);
  assert.deepEqual(shared.at, [range, further]);
});

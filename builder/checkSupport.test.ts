import assert from "node:assert/strict";
import { test } from "node:test";
import { isTbuildError } from "../cache/errors.js";
import { loadGraph, topologicalOrder } from "../solver/graph.js";
import { node, output, source } from "../solver/llb/state.js";
import { marshal } from "../solver/llb/marshal.js";
import { checkSupport } from "./checkSupport.js";

test("checkSupport() refuses a step that nothing can run, at its line", () => {
  const at = { file: "Dockerfile", start: { line: 3, column: 1 }, end: { line: 3, column: 9 } };
  const definition = marshal(output(node({ kind: "build", builder: -1, inputs: {}, def: null, attrs: {} }, [source("local://context")], { at: [at] })), [{ filename: "Dockerfile", data: Buffer.from("\n\nFROM a\n"), language: "Dockerfile" }]);
  assert.throws(
    () => checkSupport(topologicalOrder(loadGraph(definition))),
    (error) => isTbuildError(error) && error.code === "unsupported" && error.message.includes('"build" steps'),
  );
});

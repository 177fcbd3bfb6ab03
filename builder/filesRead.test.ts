import assert from "node:assert/strict";
import { test } from "node:test";
import { loadGraph, topologicalOrder } from "../solver/graph.js";
import { marshal } from "../solver/llb/marshal.js";
import { defaultCopy, defaultExecMeta, exec, file, merge, type Output, output, source } from "../solver/llb/state.js";
import { filesRead } from "./filesRead.js";

const base = source("docker-image://base");
const other = source("docker-image://other");
const copied = file(null, [{ action: { ...defaultCopy, kind: "copy", src: "/a", dest: "/a" }, from: other }]);
const run = (on: Output) => output(exec({ meta: { ...defaultExecMeta, args: ["true"] }, mounts: [{ from: on, dest: "/", keep: true }] }));

/** Which of the images are read for this result. */
function imagesRead(result: Output, exported: boolean): readonly string[] {
  const root = loadGraph(marshal(result, []));
  const read = filesRead([root], exported);
  return topologicalOrder(root).filter(({ op, digest }) => op.body.kind === "source" && read.has(digest)).map(({ name }) => name);
}

test("filesRead() leaves out what is only below merged layers, unless the result is read", () => {
  const linked = merge([base, copied]);
  const table: readonly (readonly [Output, boolean, number])[] = [
    [base, false, 0],
    [base, true, 1],
    [linked, false, 1],
    [linked, true, 2],
    [merge([linked, copied]), false, 1],
    [run(linked), false, 2],
    [merge([run(base), copied]), false, 2],
    [merge([copied, base]), false, 2],
    [merge([base, base]), false, 1],
  ];
  for (const [result, exported, count] of table) assert.equal(imagesRead(result, exported).length, count);
});

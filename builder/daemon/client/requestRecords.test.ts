import assert from "node:assert/strict";
import { test } from "node:test";
import { marshal } from "../../../solver/llb/marshal.js";
import { source } from "../../../solver/llb/state.js";
import { requestRecords } from "./requestRecords.js";

const graph = (name: string) => marshal(source(`docker-image://${name}`), []);
const record = (target: string) => ({ configSource: {}, request: { frontend: "dockerfile.v0", args: { target } } });

test("requestRecords() finds the request of a graph while its build is open", () => {
  const records = requestRecords();
  const noted = records.note(graph("a"), { configSource: {}, request: { ...record("x").request, root: record("root") } });
  assert.deepEqual(records.find(graph("a")), record("x"));
  assert.equal(records.find(graph("b")), null);
  noted[Symbol.dispose]();
  assert.equal(records.find(graph("a")), null);
});

test("requestRecords() does not guess between requests that differ", () => {
  const records = requestRecords();
  records.note(graph("a"), record("x"));
  const same = records.note(graph("a"), record("x"));
  assert.deepEqual(records.find(graph("a")), record("x"));
  same[Symbol.dispose]();
  records.note(graph("a"), record("y"));
  assert.equal(records.find(graph("a")), null);
});

test("requestRecords() knows nothing of the empty tree", () => {
  const records = requestRecords();
  const empty = marshal(null, []);
  records.note(empty, record("x"));
  assert.equal(records.find(empty), null);
});

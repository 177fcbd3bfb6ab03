import assert from "node:assert/strict";
import test from "node:test";
import { hasCode } from "../cache/errors.js";
import { parseOutput } from "./outputs.js";

test("parseOutput() reads Docker's short forms", () => {
  assert.deepEqual(parseOutput("out"), { type: "local", attrs: { dest: "out" } });
  assert.deepEqual(parseOutput("-"), { type: "tar", attrs: { dest: "-" } });
});

test("parseOutput() reads fields in any order", () => {
  assert.deepEqual(parseOutput("type=oci,dest=a.tar"), { type: "oci", attrs: { dest: "a.tar" } });
  assert.deepEqual(parseOutput("DEST=a=b.tar,type=docker"), { type: "docker", attrs: { dest: "a=b.tar" } });
  assert.deepEqual(parseOutput("type=image"), { type: "image", attrs: {} });
  assert.deepEqual(parseOutput("type=registry,name=a/b"), { type: "registry", attrs: { name: "a/b" } });
  assert.deepEqual(parseOutput("type=oci,annotation-index.org.Key=V"), { type: "oci", attrs: { "annotation-index.org.Key": "V" } });
});

test("parseOutput() lets quotes hold commas", () => {
  assert.deepEqual(parseOutput('type=image,"name=a:1,b:2"'), { type: "image", attrs: { name: "a:1,b:2" } });
});

test("parseOutput() refuses what it does not understand", () => {
  for (const text of ["", "type=ocl,dest=x", "dest=x", "type=oci,dest", "type=oci,=x"]) {
    assert.throws(() => parseOutput(text), (error) => hasCode(error, "usage"), text);
  }
  assert.throws(() => parseOutput("type=ocl"), { hint: 'Did you mean "oci"?' });
});

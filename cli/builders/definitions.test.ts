import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, beforeEach, test } from "node:test";
import { chosenBuilder, chosenNodes } from "./choose.js";
import { listDefinitions, readDefinition, removeDefinition, use, usedName, writeDefinition } from "./definitions.js";

const dir = mkdtempSync(path.join(tmpdir(), "tbuild-definitions-"));
const node = (name: string) => ({ name, address: `unix:///${name}.sock`, platforms: ["linux/arm64"], tls: { caCert: "/ca.pem" } });
const own = { builder: undefined, tls: {} };

beforeEach(() => {
  process.env["TBUILD_BUILDERS"] = path.join(dir, "a", "b");
  rmSync(path.join(dir, "a"), { recursive: true, force: true });
});
after(() => {
  delete process.env["TBUILD_BUILDERS"];
  rmSync(dir, { recursive: true, force: true });
});

test("writeDefinition() keeps a builder in a file of its own, and leaves nothing else", () => {
  assert.deepEqual([readDefinition("ci"), listDefinitions(), usedName()], [null, [], null]);
  for (const name of ["ci", "a.b"]) writeDefinition({ name, nodes: [node("one"), node("two")] });
  assert.deepEqual(readDefinition("ci"), { name: "ci", nodes: [node("one"), node("two")] });
  assert.deepEqual(listDefinitions().map(({ name }) => name), ["a.b", "ci"]);
  assert.deepEqual(readdirSync(path.join(dir, "a", "b")).sort(), ["a.b.json", "ci.json"]);
  assert.equal(readDefinition("../b/ci"), null);
});

test("removeDefinition() of the builder in use goes back to this process", () => {
  for (const name of ["ci", "other"]) writeDefinition({ name, nodes: [node("one")] });
  use("ci");
  removeDefinition("other");
  assert.equal(usedName(), "ci");
  removeDefinition("ci");
  assert.equal(usedName(), null);
});

test("a file that is no builder is named, with what to do", () => {
  writeDefinition({ name: "ci", nodes: [node("one")] });
  for (const text of ["{", "{}", '{"nodes":[{"name":"x"}]}', "null"]) {
    writeFileSync(path.join(dir, "a", "b", "ci.json"), text);
    assert.throws(() => readDefinition("ci"), { code: "parse_failed", message: /Cannot read the builder "ci": ".*ci\.json"/, hint: /tbuild builder rm ci/ });
  }
});

test("chosenBuilder() goes by what is typed, then by the one in use, then builds in this process", () => {
  writeDefinition({ name: "ci", nodes: [node("one"), node("two")] });
  assert.deepEqual(chosenBuilder(own), {});
  use("ci");
  const names = (builder?: string) => chosenBuilder({ builder, tls: {} }).nodes?.map(({ name }) => name);
  assert.deepEqual([names(), names("ci"), names("ci/two"), names("default")], [["one", "two"], ["one", "two"], ["two"], undefined]);
  assert.deepEqual(chosenBuilder({ builder: "tcp://host", tls: { dir: "certs" } }), { address: "tcp://host", tls: { dir: "certs" } });
  assert.throws(() => chosenBuilder({ builder: "ci", tls: { dir: "certs" } }), { code: "usage" });
  assert.throws(() => names("ci/none"), { code: "not_found", hint: "It has one, two" });
  assert.throws(() => names("cii"), { code: "not_found" });
  assert.deepEqual(chosenNodes({ builder: "ci/two", tls: {} }).map(({ address }) => address), ["unix:///two.sock"]);
  assert.deepEqual(chosenNodes({ builder: "tcp://host", tls: {} }), [{ address: "tcp://host", tls: {} }]);
});

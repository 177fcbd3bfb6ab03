import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { after, test } from "node:test";
import { isTbuildError, type TbuildError } from "../../cache/errors.js";
import { startFaultyServer } from "../../fixtures/registry.js";
import { BASE, testBuilder } from "../../fixtures/testBuilder.js";
import { marshal } from "../../solver/llb/marshal.js";
import { exec, output, source } from "../../solver/llb/state.js";
import { loadGraph, topologicalOrder } from "../../solver/graph.js";
import { policyApplier } from "./applyPolicy.js";
import type { PolicyAction, SourceRules } from "./policy.js";

const box = await testBuilder();
after(() => box[Symbol.asyncDispose]());

function rules(...list: readonly (readonly [string, PolicyAction])[]): readonly SourceRules[] {
  return [{ rules: list.map(([identifier, action]) => ({ selector: { identifier, match: "wildcard", constraints: [] }, action })) }];
}

async function failure(dockerfile: string, sourcePolicies: readonly SourceRules[]): Promise<TbuildError> {
  const context = box.context({ Dockerfile: dockerfile });
  const error: unknown = await box.run({ context, sourcePolicies }).then(() => assert.fail("the build should have failed"), (caught: unknown) => caught);
  assert.ok(isTbuildError(error), String((error as Error).stack));
  return error;
}

test("a denied source stops a build before anything runs, at its line", async () => {
  const base = await failure(`FROM ${BASE}\nRUN true\n`, rules([`docker-image://${BASE}*`, { kind: "deny" }]));
  assert.deepEqual([base.code, base.at?.start.line], ["permission_denied", 1]);
  const added = await failure(`FROM ${BASE}\nRUN exit 7\nADD https://files.test/x /\n`, rules(["https://*", { kind: "deny" }]));
  assert.deepEqual([added.code, added.at?.start.line], ["permission_denied", 3]);
  assert.match(added.message, /"https:\/\/files.test\/x": the source policy denies it/);
});

test("a converted source is read in the place of the one that is written", async () => {
  await using server = await startFaultyServer((_, response) => void response.end("from the mirror\n"));
  const context = box.context({ Dockerfile: "FROM example.test/no/such:1\nADD https://files.test/x /\n" });
  const dest = path.join(box.dir, "converted");
  const sourcePolicies = rules(
    ["docker-image://example.test/*", { kind: "convert", identifier: `docker-image://${BASE}`, attrs: {} }],
    ["https://files.test/*", { kind: "convert", identifier: `http://${server.host}/\${1}`, attrs: {} }],
  );
  await box.run({ context, sourcePolicies, outputs: [{ type: "local", attrs: { dest } }] });
  assert.equal(readFileSync(path.join(dest, "x"), "utf8"), "from the mirror\n");
});

test("a context that is fetched is asked about as well", async () => {
  const sourcePolicies = rules(["https://*", { kind: "deny" }]);
  await assert.rejects(box.run({ context: "https://files.test/context.tar", sourcePolicies }), /the source policy denies it/);
});

test("policyApplier() asks about a source once, and changes only what is above a changed one", async () => {
  const step = (identifier: string) => output(exec({ meta: { args: ["true"] }, mounts: [{ dest: "/", from: source(identifier), keep: true }] }));
  const definition = marshal(step("docker-image://localhost/a:1"), []);
  const asked: string[] = [];
  const apply = policyApplier(async (one) => {
    asked.push(one.identifier);
    return { ...one, identifier: one.identifier.replace("/a:", "/b:") };
  });
  const changed = await apply(definition, {});
  assert.deepEqual(topologicalOrder(loadGraph(changed)).map(({ digest }) => digest), topologicalOrder(loadGraph(marshal(step("docker-image://localhost/b:1"), []))).map(({ digest }) => digest));
  await apply(definition, {});
  assert.deepEqual(asked, ["docker-image://localhost/a:1"]);
  const other = marshal(step("docker-image://localhost/c:1"), []);
  assert.equal(await apply(other, {}), other);
});

import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { after, test } from "node:test";
import { digestOf } from "../../cache/oci/digest.js";
import { builtFile, commitText, lockIn, lockModes, pushText } from "../../fixtures/locks.js";
import { gitDaemon } from "../../fixtures/gitServer.js";
import { registryMissing, startFaultyServer, startRegistry } from "../../fixtures/registry.js";
import { testBuilder } from "../../fixtures/testBuilder.js";
import type { LockUpdateRequest } from "./updateLock.js";

const box = await testBuilder();
after(() => box[Symbol.asyncDispose]());

async function update(request: LockUpdateRequest) {
  const task = box.builder.updateLock(request);
  for await (const _ of task.progress);
  return (await task.result).map(({ name, from, to }) => [name, from === to ? "same" : to] as const);
}

test("updateLock() moves the entries that it is told to, and builds nothing", { skip: registryMissing() }, async () => {
  await using registry = await startRegistry();
  let text = "old";
  await using files = await startFaultyServer((_, response) => void response.end(text));
  const root = path.join(box.dir, "repositories");
  mkdirSync(path.join(root, "app.git"), { recursive: true });
  await using repositories = await gitDaemon(root);
  const push = () => ["base:1", "base:2"].forEach((name) => pushText(box, registry, name, text));
  const [url, repository] = [`http://${files.host}/f`, `git://127.0.0.1:${repositories.port}/app.git`];
  push();
  commitText(path.join(root, "app.git"), text);
  const of = (tag: string) => `${registry.host}/base:${tag}`;
  const context = box.context({ Dockerfile: `FROM ${of("1")}\nCOPY --from=${of("2")} /x /y\nADD ${url} ${repository}#main /\n` });
  await box.run({ context, ...lockModes.record });
  const file = path.join(context, "tbuild.lock");
  const before = readFileSync(file, "utf8");
  assert.deepEqual((await update({ file })).map(([, to]) => to), ["same", "same", "same", "same"]);
  text = "new";
  push();
  const commit = commitText(path.join(root, "app.git"), text);
  const planned = await update({ file, mode: "plan" });
  assert.deepEqual([planned.length, planned.filter(([, to]) => to === "same").length], [4, 0]);
  assert.equal(readFileSync(file, "utf8"), before);
  assert.deepEqual((await update({ file, names: [of("2"), repository] })).map(([name]) => name), [of("2"), `${repository}#main`]);
  assert.deepEqual(lockIn(context).git, { [`${repository}#main`]: commit });
  assert.equal(await builtFile(box, { context, ...lockModes.require }, "x"), "old");
  assert.deepEqual((await update({ file, names: [`${registry.host}/base`] })).map(([, to]) => to === "same"), [false, true]);
  assert.deepEqual(await update({ file, names: [url] }), [[url, digestOf("new")]]);
  assert.equal(await builtFile(box, { context, ...lockModes.require }, "x"), "new");
  assert.deepEqual((await update({ file })).map(([, to]) => to), ["same", "same", "same", "same"]);
});

test("updateLock() leaves the file as it was when a name cannot be resolved, and lists the entries when one is unknown", { skip: registryMissing() }, async () => {
  await using registry = await startRegistry();
  const digest = digestOf("x");
  pushText(box, registry, "base:1", "old");
  const images = { [`${registry.host}/base:1`]: digest, [`${registry.host}/gone:1`]: digest };
  const context = box.context({ "tbuild.lock": JSON.stringify({ version: 1, images }) });
  const file = path.join(context, "tbuild.lock");
  await assert.rejects(update({ file }), { code: "not_found" });
  assert.deepEqual(lockIn(context).images, images);
  await assert.rejects(update({ file, names: ["nginx"] }), (error: Error & { hint?: string }) => {
    assert.match(error.message, /has no entry for "nginx"$/);
    assert.equal(error.hint, `It has ${registry.host}/base:1, ${registry.host}/gone:1`);
    return true;
  });
});

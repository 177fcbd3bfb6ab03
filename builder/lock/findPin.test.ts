import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import path from "node:path";
import { after, test } from "node:test";
import { builtFile, commitText, failedBuild, lockIn, lockModes } from "../../fixtures/locks.js";
import { gitDaemon } from "../../fixtures/gitServer.js";
import { startFaultyServer } from "../../fixtures/registry.js";
import { testBuilder } from "../../fixtures/testBuilder.js";
import { digestOf } from "../../cache/oci/digest.js";

const box = await testBuilder();
after(() => box[Symbol.asyncDispose]());
const { record, require } = lockModes;

async function startGit(name: string) {
  const root = path.join(box.dir, name);
  const repository = path.join(root, "app.git");
  mkdirSync(repository, { recursive: true });
  const server = await gitDaemon(root);
  return { repository, url: `git://127.0.0.1:${server.port}/app.git`, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

test("a locked build takes the commit of its lock, wherever the branch has gone", async () => {
  await using server = await startGit("branch");
  const old = commitText(server.repository, "old");
  const dockerfile = [`ADD ${server.url} /head`, `ADD ${server.url}#main /main`, `ADD ${server.url}#main:dir /dir`, `ADD --keep-git-dir=true ${server.url}#main /kept`];
  const context = box.context({ Dockerfile: ["FROM scratch", ...dockerfile].join("\n") });
  const files = async (request: object) => Promise.all(["head/dir/file", "main/dir/file", "dir/file", "kept/dir/file", "kept/.git/HEAD"].map((file) => builtFile(box, { context, ...request }, file)));
  const recorded = await files(record);
  assert.deepEqual(recorded.slice(0, 4), ["old", "old", "old", "old"]);
  assert.deepEqual(lockIn(context).git, { [server.url]: old, [`${server.url}#main`]: old });
  commitText(server.repository, "new");
  assert.deepEqual(await files(require), recorded);
  assert.equal(await builtFile(box, { context }, "main/dir/file"), "new");
});

test("a locked repository that is here asks no server", async () => {
  const context = await (async () => {
    await using server = await startGit("offline");
    commitText(server.repository, "here");
    const made = box.context({ Dockerfile: `FROM scratch\nADD ${server.url}#main /\n` });
    await box.run({ context: made, ...record });
    return made;
  })();
  assert.equal(await builtFile(box, { context, ...require }, "dir/file"), "here");
});

test("a context that is a repository is locked as well, and so is a named one", async () => {
  await using server = await startGit("context");
  const old = commitText(server.repository, "old");
  const file = path.join(box.dir, "context.lock");
  const dockerfile = box.context({ Dockerfile: "FROM scratch\nCOPY dir/file /a\nCOPY --from=named dir/file /b\n" });
  const request = { context: `${server.url}#main`, buildContexts: { named: server.url } };
  const withLock = (mode: "record" | "require") => ({ ...request, lock: { mode, file } });
  const named = box.context({ Dockerfile: "FROM scratch\nCOPY --from=named dir/file /b\n" });
  await box.run({ ...withLock("record"), context: named });
  commitText(server.repository, "new");
  assert.equal(await builtFile(box, { ...withLock("require"), context: named }, "b"), "old");
  const missing = await failedBuild(box, { ...withLock("require"), dockerfile });
  assert.match(missing.message, /app.git#main": .*context.lock has no entry/);
  assert.ok(old);
});

test("a file that has changed is an error that names both digests", async () => {
  let text = "old";
  await using server = await startFaultyServer((_, response) => void response.end(text));
  const url = `http://${server.host}/tool?v=1`;
  const context = box.context({ Dockerfile: `FROM scratch\nADD ${url} /tool\n` });
  await box.run({ context, ...record });
  assert.deepEqual(lockIn(context).urls, { [url]: digestOf("old") });
  text = "new";
  assert.equal(await builtFile(box, { context, ...require }, "tool"), "old", "the store has it");
  await using fresh = await testBuilder();
  const error = await failedBuild(fresh, { context, ...require });
  assert.deepEqual([error.code, error.at?.start.line], ["digest_mismatch", 2]);
  assert.ok(error.message.includes(`expected ${digestOf("old")}, got ${digestOf("new")}`), error.message);
  assert.match(error.hint ?? "", /tbuild lock update/);
});

test("a URL with a login in it cannot be locked, and is not shown with it", async () => {
  const context = box.context({ Dockerfile: "FROM scratch\nADD https://user:hush@files.test/x /\n" });
  const error = await failedBuild(box, { context, ...record });
  assert.deepEqual([error.code, error.at?.start.line, error.message.includes("hush")], ["unsupported", 2, false]);
});

import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, test } from "node:test";
import { promisify } from "node:util";
import { isTbuildError } from "../../cache/errors.js";
import { git, gitHttp } from "../../fixtures/gitServer.js";
import { BASE, testBuilder } from "../../fixtures/testBuilder.js";
import { parsePointer } from "./gitLfs.js";

const builder = await testBuilder();
after(() => builder[Symbol.asyncDispose]());
const skip = spawnSync("git", ["lfs", "version"]).status === 0 ? false : "git-lfs is not installed";
const run = promisify(execFile);
const TOKEN = "tok-98765";
process.env["TBUILD_LFS_TOKEN"] = TOKEN;
const secrets = [{ id: "GIT_AUTH_TOKEN", from: { kind: "env", name: "TBUILD_LFS_TOKEN" } }] as const;

/** A repository whose large files git-lfs itself has pushed to `objects`. */
async function lfsRepository(name: string): Promise<{ readonly repos: string; readonly objects: string }> {
  const dir = path.join(builder.dir, name);
  const [repos, objects, work] = ["repos", "objects", "work"].map((part) => path.join(dir, part)) as [string, string, string];
  for (const one of [objects, work, path.join(repos, "app.git")]) mkdirSync(one, { recursive: true });
  git(path.join(repos, "app.git"), "init", "--quiet", "--bare");
  await using served = await gitHttp(repos, { objects });
  git(work, "init", "--quiet", "-b", "main");
  git(work, "lfs", "install", "--local");
  git(work, "lfs", "track", "*.bin");
  writeFileSync(path.join(work, "large.bin"), "large".repeat(1000), { mode: 0o755 });
  writeFileSync(path.join(work, "Dockerfile"), `FROM ${BASE}\nCOPY . /c\nRUN stat -c '%s %a' /c/large.bin\n`);
  git(work, "add", ".");
  git(work, "commit", "-qm", "one");
  // Not a sync call: the server is in this process.
  await run("git", ["push", "-q", `http://127.0.0.1:${served.port}/app.git`, "main"], { cwd: work, env: { ...process.env, HOME: work } });
  return { repos, objects };
}

test("a context has the files that git-lfs has put on a server, in place of their pointers", { skip }, async () => {
  const { repos, objects } = await lfsRepository("good");
  assert.equal(readdirSync(objects).length, 1);
  await using served = await gitHttp(repos, { objects, token: TOKEN });
  const context = `http://127.0.0.1:${served.port}/app.git`;
  const { output, events } = await builder.run({ context, secrets });
  assert.match(output, /\n5000 755\n$/);
  assert.ok(!JSON.stringify(events).includes(TOKEN));
  assert.deepEqual((await builder.run({ context, secrets })).executed, []);
});

test("a file that the LFS server does not have, or has otherwise, fails the build", { skip }, async () => {
  for (const [name, change, message] of [
    ["missing", (file: string) => rmSync(file), /Cannot (?:get|download)/],
    ["other", (file: string) => writeFileSync(file, "x".repeat(5000)), /expected sha256:.*, got sha256:/],
  ] as const) {
    const { repos, objects } = await lfsRepository(name);
    change(path.join(objects, readdirSync(objects)[0]!));
    await using served = await gitHttp(repos, { objects });
    const fresh = await testBuilder();
    await assert.rejects(fresh.run({ context: `http://127.0.0.1:${served.port}/app.git` }), (error) => isTbuildError(error) && message.test(error.message));
    await fresh[Symbol.asyncDispose]();
  }
});

test("without an LFS server pointers stay, with a warning", { skip }, async () => {
  const { repos } = await lfsRepository("none");
  await using served = await gitHttp(repos);
  await using fresh = await testBuilder();
  const { events } = await fresh.run({ context: `http://127.0.0.1:${served.port}/app.git` });
  const warnings = events.flatMap((event) => (event.type === "warning" ? [event.warning.message] : []));
  assert.match(warnings.join("\n"), /is no LFS server: 1 files stay pointers, such as "large\.bin"/);
});

test("parsePointer() reads pointers and nothing else", () => {
  const oid = "a".repeat(64);
  assert.deepEqual(parsePointer(`version https://git-lfs.github.com/spec/v1\noid sha256:${oid}\nsize 7\n`), { digest: `sha256:${oid}`, size: 7 });
  assert.equal(parsePointer(`version 2\noid sha256:${oid}\nsize 7\n`), null);
  assert.equal(parsePointer("version https://git-lfs.github.com/spec/v1\noid sha256:../../x\nsize 7\n"), null);
});

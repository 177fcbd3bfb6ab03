import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, test } from "node:test";
import { startFaultyServer } from "../fixtures/registry.js";
import { BASE, testBuilder } from "../fixtures/testBuilder.js";
import { hasCode, isTbuildError, type TbuildError } from "../cache/errors.js";
import { imageId } from "../cache/images.js";
import type { BuildRequest } from "./request.js";

const box = await testBuilder();
after(() => box[Symbol.asyncDispose]());

/** Builds and returns the files of the result as a directory. */
async function exported(request: BuildRequest): Promise<string> {
  const dest = path.join(box.dir, `out-${Math.random().toString(36).slice(2)}`);
  await box.run({ ...request, outputs: [{ type: "local", attrs: { dest } }] });
  return dest;
}

async function failure(request: BuildRequest): Promise<TbuildError> {
  const error: unknown = await box.run(request).then(
    () => assert.fail("the build should have failed"),
    (caught: unknown) => caught,
  );
  assert.ok(isTbuildError(error), String((error as Error).stack));
  return error;
}

test("a multi-stage build runs, tags its image and copies between stages", async () => {
  const context = box.context({
    Dockerfile: `FROM ${BASE} AS build\nWORKDIR /src\nCOPY app.txt .\nRUN tr a-z A-Z < app.txt > /out.txt\nFROM ${BASE}\nCOPY --from=build /out.txt /app/out.txt\nCMD ["cat", "/app/out.txt"]\n`,
    "app.txt": "hello\n",
  });
  const { result, executed } = await box.run({ context, tags: ["app:v1"] });
  assert.ok(executed.some((name) => name.includes("RUN tr")));
  const record = box.builder.store.images.resolve("app:v1");
  assert.equal(imageId(record), result.imageId);
  assert.equal(readFileSync(path.join(await exported({ context }), "app/out.txt"), "utf8"), "HELLO\n");
});

test("an unchanged build executes nothing, and equal sources give an equal image", async () => {
  const files = { Dockerfile: `FROM ${BASE}\nCOPY . /src\nRUN wc -l /src/a > /count\n`, a: "1\n2\n" };
  const first = await box.run({ context: box.context(files), tags: ["same:1"] });
  const second = await box.run({ context: box.context(files), tags: ["same:1"] });
  assert.deepEqual(second.executed, []);
  assert.equal(second.result.imageId, first.result.imageId);
});

test("a changed file runs what depends on it and nothing else", async () => {
  const Dockerfile = `FROM ${BASE}\nRUN echo tools\nCOPY a /a\nRUN cat /a\nCOPY b /b\nRUN cat /b\n`;
  await box.run({ context: box.context({ Dockerfile, a: "1", b: "1" }) });
  const { executed } = await box.run({ context: box.context({ Dockerfile, a: "1", b: "2" }) });
  assert.deepEqual(executed.map((name) => name.replace(/^\[[^\]]*\] /, "")).sort(), ["COPY b /b", "RUN cat /b"]);
});

test("a rebuilt stage with equal output does not rebuild what copies from it", async () => {
  const stage = (comment: string) =>
    `FROM ${BASE} AS a\nRUN echo ${comment} > /dev/null; echo out > /out\nFROM ${BASE}\nCOPY --from=a /out /out\nRUN cat /out\n`;
  await box.run({ context: box.context({ Dockerfile: stage("one") }) });
  const { executed } = await box.run({ context: box.context({ Dockerfile: stage("two") }) });
  assert.equal(executed.filter((name) => name.includes("cat /out")).length, 0);
});

test("a failing RUN names its line, its status and its last output", async () => {
  const error = await failure({ context: box.context({ Dockerfile: `FROM ${BASE}\nRUN echo before\nRUN echo why; exit 7\n` }) });
  assert.equal(error.code, "process_failed");
  assert.equal(error.at?.start.line, 3);
  assert.equal(error.process?.exitCode, 7);
  assert.deepEqual(error.process?.logTail, ["why"]);
});

test("what finished before a failure stays cached", async () => {
  const Dockerfile = (last: string) => `FROM ${BASE}\nRUN echo kept-step\nRUN ${last}\n`;
  await failure({ context: box.context({ Dockerfile: Dockerfile("false") }) });
  const { cached } = await box.run({ context: box.context({ Dockerfile: Dockerfile("true") }) });
  assert.ok(cached.some((name) => name.includes("kept-step")));
});

test("a missing source is found before anything runs, with the closest name", async () => {
  const context = box.context({ Dockerfile: `FROM ${BASE}\nRUN echo ran-too-early\nCOPY pakage.json nope /app/\n`, "package.json": "{}" });
  const error = await failure({ context });
  assert.equal(error.code, "not_found");
  assert.equal(error.at?.start.line, 3);
  assert.match(error.message, /pakage\.json/);
  assert.match(error.hint ?? "", /package\.json/);
  assert.equal(error.others.length, 1);
});

test("an excluded source names the ignore file and the rule", async () => {
  const context = box.context({ Dockerfile: `FROM ${BASE}\nCOPY secret.txt /\n`, ".dockerignore": "# none\n*.txt\n", "secret.txt": "x" });
  const error = await failure({ context });
  assert.match(error.message, /\.dockerignore.*\*\.txt/);
});

test("the context cannot be left by .. or by links", async () => {
  const context = box.context({ Dockerfile: `FROM ${BASE}\nCOPY link/passwd /stolen\n` });
  symlinkSync("/etc", path.join(context, "link"));
  assert.equal((await failure({ context })).code, "not_found");
  const dots = box.context({ Dockerfile: `FROM ${BASE}\nCOPY ../../../../etc/hostname /stolen\n` });
  assert.equal((await failure({ context: dots })).code, "not_found");
});

test("COPY into a symlink of the image stays inside the image", async () => {
  const context = box.context({ Dockerfile: `FROM ${BASE}\nRUN ln -s /etc /linked && ln -s ../../../../tmp /up\nCOPY a /linked/a\nCOPY a /up/b\n`, a: "x" });
  const out = await exported({ context });
  assert.ok(existsSync(path.join(out, "etc/a")));
  assert.ok(existsSync(path.join(out, "tmp/b")));
});

test("cancelling ends the container and rejects with cancelled", async () => {
  const abort = new AbortController();
  const build = box.builder.build({ context: box.context({ Dockerfile: `FROM ${BASE}\nRUN sleep 600\n` }) }, { signal: abort.signal });
  for await (const event of build.progress) if (event.type === "started") setTimeout(() => abort.abort(), 300);
  await assert.rejects(build.result, (error) => hasCode(error, "cancelled"));
  assert.deepEqual(readdirSync(path.join(box.builder.store.scratch, "roots")), []);
});

test("a failed step ends its siblings", async () => {
  const Dockerfile = `FROM ${BASE} AS a\nRUN sleep 600\nFROM ${BASE} AS b\nRUN sleep 0.2; false\nFROM ${BASE}\nCOPY --from=a /etc/passwd /a\nCOPY --from=b /etc/passwd /b\n`;
  const error = await failure({ context: box.context({ Dockerfile }) });
  assert.equal(error.at?.start.line, 4);
});

test("FROM scratch with one file is an image of one layer", async () => {
  const context = box.context({ Dockerfile: "FROM scratch\nCOPY a /a\n", a: "x" });
  await box.run({ context, tags: ["tiny"] });
  assert.equal(box.builder.store.images.resolve("tiny").manifests[0]?.layers.length, 1);
});

test("RUN sees its user, directory, environment and arguments", async () => {
  const Dockerfile = `FROM ${BASE}\nARG V=1\nENV E=env$V\nWORKDIR /w\nUSER www-data\nRUN echo "$(id -u):$(pwd):$E:$V"\n`;
  const { output } = await box.run({ context: box.context({ Dockerfile }), buildArgs: { V: "2" } });
  assert.equal(output.trim(), "33:/w:env2:2");
});

test("a file that only root may read keeps its mode, and owners become root", async () => {
  const context = box.context({ Dockerfile: "FROM scratch\nCOPY --chown=12:34 a /own\nCOPY a /plain\n", a: "x" });
  writeFileSync(path.join(context, "a"), "x", { mode: 0o640 });
  const out = await exported({ context });
  assert.deepEqual([statSync(path.join(out, "own")).uid, statSync(path.join(out, "own")).gid], [12, 34]);
  assert.equal(statSync(path.join(out, "plain")).uid, 0);
});

test("--no-cache runs every step again", async () => {
  const context = box.context({ Dockerfile: `FROM ${BASE}\nRUN echo always\n` });
  await box.run({ context });
  assert.equal((await box.run({ context, noCache: true })).executed.filter((name) => name.includes("always")).length, 1);
});

test("SOURCE_DATE_EPOCH may be the time of a stage that downloads, and copied files have it", async () => {
  await using server = await startFaultyServer((_, response) => void response.setHeader("last-modified", "Wed, 21 Oct 2015 07:28:00 GMT").end("x"));
  const Dockerfile = `ARG SOURCE_DATE_EPOCH=src\nFROM scratch AS src\nADD http://${server.host}/x /\nFROM ${BASE}\nARG SOURCE_DATE_EPOCH\nRUN echo at $SOURCE_DATE_EPOCH > /at\nCOPY Dockerfile /\n`;
  const out = await exported({ context: box.context({ Dockerfile }) });
  assert.equal(readFileSync(path.join(out, "at"), "utf8"), "at 1445412480\n");
  assert.equal(statSync(path.join(out, "Dockerfile")).mtimeMs, 1_445_412_480_000);
});

test("RUN --mount shows a stage and a tmpfs, leaves optional secrets out, and leaves nothing behind", async () => {
  const mounts = "--mount=type=bind,from=a,source=/data,target=/in --mount=type=tmpfs,target=/scratch --mount=type=secret,id=none";
  const Dockerfile = `FROM ${BASE} AS a\nRUN mkdir /data; echo seen > /data/f\nFROM ${BASE}\nRUN ${mounts} cat /in/f; echo x > /scratch/x; ls /run/secrets 2>&1\n`;
  const context = box.context({ Dockerfile });
  const error = await failure({ context });
  assert.deepEqual(error.process?.logTail, ["seen", "ls: /run/secrets: No such file or directory"]);
  const out = await exported({ context: box.context({ Dockerfile: Dockerfile.replace("; ls /run/secrets 2>&1", "") }) });
  assert.ok(!existsSync(path.join(out, "in")) && !existsSync(path.join(out, "scratch")));
});

test("a context that is gone is a clear error", async () => {
  const context = box.context({ Dockerfile: "FROM scratch\n" });
  rmSync(context, { recursive: true });
  assert.equal((await failure({ context })).code, "not_found");
});

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createReadStream, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { Readable } from "node:stream";
import { after, test } from "node:test";
import { digestOf } from "../../cache/oci/digest.js";
import { isTbuildError } from "../../cache/errors.js";
import { tempDir } from "../../cache/testing/tempDir.js";
import { git, gitDaemon } from "../../fixtures/gitServer.js";
import { BASE, testBuilder, writeContext } from "../../fixtures/testBuilder.js";
import type { BuildRequest } from "../request.js";

const dir = await tempDir();
after(() => dir[Symbol.asyncDispose]());
const builder = await testBuilder();
after(() => builder[Symbol.asyncDispose]());

const files = { Dockerfile: `FROM ${BASE}\nCOPY . /c\nRUN cat /c/*\n`, hello: "hello\n", ".dockerignore": "hello\n" };
const tree = writeContext(path.join(dir.path, "tree"), files);

function archive(name: string, ...flags: readonly string[]): string {
  const file = path.join(dir.path, name);
  execFileSync("tar", ["-C", tree, "-cf", file, ...flags, "."]);
  return file;
}

async function outputOf(request: Partial<BuildRequest> & { readonly context: string }): Promise<string> {
  return (await builder.run(request)).output;
}

const failure = (part: RegExp) => (error: unknown) => isTbuildError(error) && part.test(error.message);

for (const [name, ...flags] of [["plain.tar"], ["a.tar.gz", "-z"], ["a.tar.bz2", "-j"], ["a.tar.xz", "-J"], ["a.tar.zst", "--zstd"]] as const) {
  test(`a context from standard input may be an archive: ${name}`, async () => {
    const file = archive(name, ...flags);
    assert.match(await outputOf({ context: "-", stdin: createReadStream(file), noCache: true }), /^FROM .*\nhello\n$/s);
  });
}

test("the same archive again executes nothing", async () => {
  const file = archive("again.tar");
  await builder.run({ context: "-", stdin: createReadStream(file) });
  const { executed } = await builder.run({ context: "-", stdin: createReadStream(file) });
  assert.deepEqual(executed.filter((name) => !name.includes("standard input")), []);
});

test("what is no archive on standard input is a Dockerfile without a context", async () => {
  assert.equal(await outputOf({ context: "-", stdin: Readable.from([`FROM ${BASE}\nRUN echo alone\n`]) }), "alone\n");
  await assert.rejects(outputOf({ context: "-", stdin: Readable.from([`FROM ${BASE}\nCOPY a /\n`]) }), (error) => isTbuildError(error) && error.at?.start.line === 2);
  await assert.rejects(outputOf({ context: "-", stdin: Readable.from([]) }), failure(/Dockerfile/));
});

test("-f - is a Dockerfile from standard input, for a directory with its ignore file", async () => {
  const stdin = Readable.from([`FROM ${BASE}\nCOPY . /c\nRUN cd /c; ls -A\n`]);
  assert.equal(await outputOf({ context: tree, dockerfile: "-", stdin }), ".dockerignore\nDockerfile\n");
  await assert.rejects(outputOf({ context: "-", dockerfile: "-", stdin: Readable.from([]) }), failure(/both the context and the Dockerfile/));
});

test("a terminal is no standard input to read", async () => {
  const stdin = Object.assign(Readable.from([]), { isTTY: true });
  await assert.rejects(outputOf({ context: "-", stdin }), failure(/it is a terminal/));
});

async function served(answers: Readonly<Record<string, Buffer>>): Promise<{ readonly url: string; readonly asked: string[]; readonly server: Server }> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    const body = answers[request.url ?? ""];
    const etag = body === undefined ? "" : `"${digestOf(body)}"`;
    if (body === undefined) response.writeHead(404).end();
    else if (request.headers["if-none-match"] === etag) response.writeHead(304).end();
    else response.writeHead(200, { etag }).end(body);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  after(() => server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked, server };
}

test("a URL is an archive or a Dockerfile, is not downloaded twice, and may have a checksum", async () => {
  const body = readFileSync(archive("served.tar.gz", "-z"));
  const { url } = await served({ "/c.tar.gz": body, "/Dockerfile": Buffer.from(`FROM ${BASE}\nRUN echo by URL\n`), "/d": Buffer.from(files.Dockerfile) });
  const context = `${url}/c.tar.gz`;
  assert.match(await outputOf({ context, noCache: true }), /hello\n$/);
  assert.deepEqual((await builder.run({ context })).executed, []);
  assert.equal(await outputOf({ context: `${url}/Dockerfile` }), "by URL\n");
  assert.match(await outputOf({ context: `${context}#checksum=${digestOf(body)}`, noCache: true }), /hello\n$/);
  await assert.rejects(outputOf({ context: `${context}#checksum=${digestOf("x")}` }), failure(/expected sha256:.*, got sha256:/));
  await assert.rejects(outputOf({ context: `${url}/none` }), failure(/404/));
  assert.match(await outputOf({ context: tree, dockerfile: `${url}/d`, noCache: true }), /^FROM/);
});

test("-f is relative to what was fetched, and no link of it leads out", async () => {
  const odd = path.join(dir.path, "odd");
  mkdirSync(path.join(odd, "sub"), { recursive: true });
  writeFileSync(path.join(odd, "sub/Other"), `FROM ${BASE}\nRUN echo other\n`);
  symlinkSync("/etc/hostname", path.join(odd, "Dockerfile"));
  const file = path.join(dir.path, "odd.tar");
  execFileSync("tar", ["-C", odd, "-cf", file, "."]);
  assert.equal(await outputOf({ context: "-", dockerfile: "sub/Other", stdin: createReadStream(file) }), "other\n");
  await assert.rejects(outputOf({ context: "-", stdin: createReadStream(file) }), failure(/no such file|Dockerfile/));
  await assert.rejects(outputOf({ context: "-", dockerfile: "../../x", stdin: createReadStream(file) }), failure(/no such file in the context/));
});

test("BUILDKIT_CONTEXT_KEEP_GIT_DIR keeps what git needs, and the commit's time is that of the build", async () => {
  const repos = path.join(dir.path, "repos");
  const repo = path.join(repos, "app.git");
  mkdirSync(repo, { recursive: true });
  writeFileSync(path.join(repo, "Dockerfile"), `FROM ${BASE}\nARG SOURCE_DATE_EPOCH\nCOPY . /c\nRUN ls -A /c | tr '\\n' ' '; stat -c %Y /c/Dockerfile\n`);
  git(repo, "init", "--quiet");
  git(repo, "add", ".");
  git(repo, "commit", "-qm", "one", "--date=@1700000000");
  const time = git(repo, "log", "-1", "--format=%ct");
  await using server = await gitDaemon(repos);
  const context = `git://127.0.0.1:${server.port}/app.git`;
  assert.match(await outputOf({ context }), new RegExp(`\\nDockerfile ${time}\\n$`));
  assert.match(await outputOf({ context, buildArgs: { BUILDKIT_CONTEXT_KEEP_GIT_DIR: "1" } }), new RegExp(`\\n\\.git Dockerfile ${time}\\n$`));
});

import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { isTbuildError } from "../../cache/errors.js";
import { git, gitDaemon, gitHttp, type Serving } from "../../fixtures/gitServer.js";
import { startFaultyServer } from "../../fixtures/registry.js";
import { BASE, testBuilder, type Ran, type TestBuilder } from "../../fixtures/testBuilder.js";
import type { BuildRequest } from "../request.js";

let builder: TestBuilder;
let repos: string;
let daemon: Serving;
let port: number;
before(async () => {
  builder = await testBuilder();
  repos = path.join(builder.dir, "repos");
  const app = path.join(repos, "app.git");
  const lib = path.join(repos, "lib.git");
  for (const dir of [app, lib]) {
    mkdirSync(dir, { recursive: true });
    git(dir, "init", "--quiet", "-b", "main");
    git(dir, "config", "uploadpack.allowReachableSHA1InWant", "true");
  }
  writeFileSync(path.join(lib, "lib.txt"), "lib\n");
  git(lib, "add", ".");
  git(lib, "commit", "-qm", "lib");
  mkdirSync(path.join(app, "dir"));
  writeFileSync(path.join(app, "dir/file"), "one\n");
  writeFileSync(path.join(app, "tool"), "#!/bin/sh\n", { mode: 0o755 });
  symlinkSync("dir/file", path.join(app, "link"));
  git(app, "add", ".");
  git(app, "commit", "-qm", "one");
  git(app, "tag", "-a", "v1", "-m", "v1");
  writeFileSync(path.join(app, "dir/file"), "two\n");
  git(app, "commit", "-qam", "two");
  daemon = await gitDaemon(repos);
  ({ port } = daemon);
  git(app, "checkout", "-qb", "with-lib");
  git(app, "submodule", "--quiet", "add", `git://127.0.0.1:${port}/lib.git`, "lib");
  git(app, "commit", "-qm", "submodule");
  git(app, "checkout", "-q", "main");
});
after(async () => {
  await daemon[Symbol.asyncDispose]();
  await builder[Symbol.asyncDispose]();
});

const url = (rest = "") => `git://127.0.0.1:${port}/app.git${rest}`;

function build(lines: readonly string[], request: Partial<BuildRequest> = {}): Promise<Ran> {
  return builder.run({ context: builder.context({ Dockerfile: [`FROM ${BASE}`, ...lines].join("\n") }), ...request });
}

test("ADD of a repository gives the files of its branch, without .git, with modes of umask 022", async () => {
  const { output } = await build([`ADD ${url()} /app`, "RUN cd /app && cat dir/file && stat -c '%a %u' tool dir/file && readlink link && ls -A"]);
  assert.match(output, /two\n755 0\n644 0\ndir\/file\ndir\nlink\ntool\n$/);
});

test("ADD takes a tag, a commit, a directory and a checksum", async () => {
  const app = path.join(repos, "app.git");
  const [tag, first, head] = [git(app, "rev-parse", "v1"), git(app, "rev-parse", "v1^{commit}"), git(app, "rev-parse", "main")];
  const { output } = await build([
    `ADD ${url("#v1")} /tag`,
    `ADD ${url(`#${first}`)} /commit`,
    `ADD ${url("#main:dir")} /dir`,
    `ADD --checksum=${head} ${url("#main")} /checked`,
    `ADD --checksum=${tag} ${url("#v1")} /checked-tag`,
    "RUN cat /tag/dir/file /commit/dir/file /dir/file /checked/dir/file /checked-tag/dir/file",
  ]);
  assert.match(output, /one\none\ntwo\ntwo\none\n$/);
  await assert.rejects(build([`ADD --checksum=${first} ${url("#main")} /x`]), /its commit is .*, the checksum says/);
});

test("ADD --keep-git-dir keeps a repository that git can read", async () => {
  const { output } = await build([`ADD --keep-git-dir=true ${url()} /app`, "RUN cd /app && cat .git/HEAD && grep -c url .git/config"]);
  assert.match(output, /[0-9a-f]{40}\n1\n$/);
});

test("submodules are there unless they are not wanted", async () => {
  const { output } = await build([
    `ADD ${url("#with-lib")} /with`,
    `ADD ${url("?branch=with-lib&submodules=false")} /without`,
    "RUN cat /with/lib/lib.txt; ls -A /with/lib /without/lib | tr '\\n' ' '",
  ]);
  assert.match(output, /lib\n\/with\/lib: lib\.txt {2}\/without\/lib: $/);
});

test("an unchanged branch is cached, and a new commit is not", async () => {
  const lines = [`ADD ${url("#moving")} /m`];
  const app = path.join(repos, "app.git");
  git(app, "branch", "-f", "moving", "v1^{commit}");
  await build(lines);
  assert.equal((await build(lines)).executed.filter((name) => name.includes("ADD")).length, 0);
  git(app, "branch", "-f", "moving", "main");
  assert.equal((await build([...lines, "RUN cat /m/dir/file"])).output.includes("two"), true);
});

test("a name that a repository does not have fails with the nearest, at its line", async () => {
  await assert.rejects(build([`ADD ${url("#mian")} /x`]), (error) => {
    assert.ok(isTbuildError(error));
    assert.match(error.message, /Cannot find "mian" in the Git repository/);
    assert.equal(error.hint, 'Did you mean "main"?');
    assert.equal(error.at?.start.line, 2);
    return true;
  });
  await assert.rejects(build([`ADD ${url("#main:nowhere")} /x`]), /Cannot find the directory "nowhere"/);
  await assert.rejects(build([`ADD git://127.0.0.1:${port}/none.git /x`]), /Cannot read the Git repository/);
});

test("a repository behind a password is read with a secret, which is shown nowhere", async () => {
  await using served = await gitHttp(repos, { token: "tok-12345" });
  const lines = [`ADD http://127.0.0.1:${served.port}/app.git /app`, "RUN cat /app/dir/file # http"];
  await assert.rejects(build(lines), (error) => {
    assert.ok(isTbuildError(error) && error.code === "unauthorized", String(error));
    assert.match(error.hint ?? "", /GIT_AUTH_TOKEN/);
    return true;
  });
  process.env["TBUILD_TEST_TOKEN"] = "tok-12345";
  const { output, events } = await build(lines, { secrets: [{ id: "GIT_AUTH_TOKEN", from: { kind: "env", name: "TBUILD_TEST_TOKEN" } }] });
  assert.match(output, /two\n$/);
  assert.ok(!JSON.stringify(events).includes("tok-12345"));
});

test("two builds of one repository at once, and one that is cancelled, leave nothing behind", async () => {
  const both = await Promise.all([build([`ADD ${url("#v1")} /a1`]), build([`ADD ${url("#v1")} /a2`])]);
  assert.equal(both.length, 2);
  const abort = new AbortController();
  const context = builder.context({ Dockerfile: `FROM ${BASE}\nADD ${url("#moving")} /cancelled\n` });
  const run = builder.run({ context, noCache: true }, abort.signal);
  setTimeout(() => abort.abort(), 30);
  await run.catch((error: unknown) => assert.ok(isTbuildError(error) && error.code === "cancelled", String(error)));
  const scratch = path.join(builder.builder.store.scratch, "git");
  assert.deepEqual(readdirSync(scratch), []);
});

test("a server of plain files gives its repositories, with all of their history", async () => {
  const plain = path.join(repos, "plain");
  mkdirSync(plain);
  git(plain, "init", "--quiet");
  for (const text of ["one\n", "two\n"]) {
    writeFileSync(path.join(plain, "file"), text);
    git(plain, "add", ".");
    git(plain, "commit", "-qm", text.trim());
  }
  const first = git(plain, "rev-parse", "HEAD~1");
  git(plain, "update-server-info");
  const server = await startFaultyServer((request, response) => {
    const file = path.join(repos, path.posix.normalize(new URL(request.url ?? "/", "http://x").pathname));
    if (existsSync(file) && statSync(file).isFile()) response.end(readFileSync(file));
    else response.writeHead(404).end();
  });
  try {
    const repository = `http://${server.host}/plain/.git`;
    const { output } = await build([`ADD ${repository} /last`, `ADD ${repository}#${first} /first`, "RUN cat /last/file /first/file"]);
    assert.match(output, /two\none\n$/);
  } finally {
    await server[Symbol.asyncDispose]();
  }
});

import assert from "node:assert/strict";
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import net, { type AddressInfo } from "node:net";
import path from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { isTbuildError } from "../../cache/errors.js";
import { BASE, testBuilder, type Ran, type TestBuilder } from "../../fixtures/testBuilder.js";
import type { BuildRequest } from "../request.js";

let builder: TestBuilder;
let repos: string;
let daemon: ChildProcess;
let port: number;
const env = { ...process.env, GIT_AUTHOR_NAME: "a", GIT_AUTHOR_EMAIL: "a@b", GIT_COMMITTER_NAME: "a", GIT_COMMITTER_EMAIL: "a@b" };
const git = (dir: string, ...args: readonly string[]): string => execFileSync("git", ["-c", "protocol.file.allow=always", ...args], { cwd: dir, env, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }).trim();

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
  port = await freePort();
  daemon = spawn("git", ["daemon", "--reuseaddr", "--export-all", "--listen=127.0.0.1", `--port=${port}`, `--base-path=${repos}`, repos], { stdio: "ignore", detached: true });
  await listening(port);
  git(app, "checkout", "-qb", "with-lib");
  git(app, "submodule", "--quiet", "add", `git://127.0.0.1:${port}/lib.git`, "lib");
  git(app, "commit", "-qm", "submodule");
  git(app, "checkout", "-q", "main");
});
after(async () => {
  process.kill(-daemon.pid!, "SIGKILL");
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
  await using served = await httpRepository(repos, "tok-12345");
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

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, "127.0.0.1");
  await new Promise((done) => server.once("listening", done));
  const { port: free } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return free;
}

async function listening(at: number): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const open = await new Promise<boolean>((done) => {
      const socket = net.connect(at, "127.0.0.1", () => done(true)).once("error", () => done(false));
      socket.once("close", () => {}).unref();
    });
    if (open) return;
    await delay(50);
  }
  throw new Error("git daemon does not listen");
}

/** `git http-backend` behind a password. */
async function httpRepository(root: string, token: string): Promise<{ readonly port: number } & AsyncDisposable> {
  const wanted = `basic ${Buffer.from(`x-access-token:${token}`).toString("base64")}`;
  const server: Server = createServer((request, response) => {
    if (request.headers.authorization !== wanted) {
      response.writeHead(401, { "www-authenticate": 'Basic realm="git"' }).end();
      return;
    }
    const { pathname, search } = new URL(request.url ?? "/", "http://h");
    const backend = spawn("git", ["http-backend"], {
      env: {
        PATH: process.env["PATH"],
        GIT_PROJECT_ROOT: root,
        GIT_HTTP_EXPORT_ALL: "1",
        GIT_CONFIG_COUNT: "1",
        GIT_CONFIG_KEY_0: "safe.directory",
        GIT_CONFIG_VALUE_0: "*",
        PATH_INFO: pathname,
        QUERY_STRING: search.slice(1),
        REQUEST_METHOD: request.method,
        CONTENT_TYPE: request.headers["content-type"] ?? "",
        GIT_PROTOCOL: String(request.headers["git-protocol"] ?? ""),
        HTTP_CONTENT_ENCODING: request.headers["content-encoding"] ?? "",
        REMOTE_USER: "x",
      },
    });
    request.pipe(backend.stdin);
    const chunks: Buffer[] = [];
    backend.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
    backend.on("close", () => {
      const all = Buffer.concat(chunks);
      const end = all.indexOf("\r\n\r\n");
      const headers = all.subarray(0, end).toString().split("\r\n").map((line) => line.split(": ") as [string, string]);
      const status = headers.find(([name]) => name === "Status")?.[1];
      response.writeHead(status === undefined ? 200 : Number.parseInt(status, 10), Object.fromEntries(headers.filter(([name]) => name !== "Status")));
      response.end(all.subarray(end + 4));
    });
  }).listen(0, "127.0.0.1");
  await new Promise((done) => server.once("listening", done));
  const { port: at } = server.address() as AddressInfo;
  return { port: at, [Symbol.asyncDispose]: async () => void (await new Promise((done) => server.close(done).closeAllConnections?.() ?? done(null))) };
}

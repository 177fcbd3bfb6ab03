import assert from "node:assert/strict";
import { execFile, execFileSync, spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import net from "node:net";
import path from "node:path";
import { after, test } from "node:test";
import { promisify } from "node:util";
import { isTbuildError } from "../../cache/errors.js";
import { tempDir } from "../../cache/testing/tempDir.js";
import { BASE, testBuilder } from "../../fixtures/testBuilder.js";
import { createAgents } from "./createAgents.js";

const dir = await tempDir();
after(() => dir[Symbol.asyncDispose]());
const has = (name: string): boolean => spawnSync("which", [name]).status === 0;
const skip = !has("ssh-keygen") || !has("ssh-add") ? "openssh-client is not installed" : false;

function makeKey(name: string, ...flags: readonly string[]): string {
  const file = path.join(dir.path, name);
  execFileSync("ssh-keygen", ["-q", "-f", file, "-C", name, "-N", "", ...flags]);
  return file;
}

const socketFile = (name: string) => ({ path: path.join(dir.path, name), uid: 0, gid: 0, mode: 0o600 });

const words = (file: string): readonly string[] => readFileSync(`${file}.pub`, "utf8").split(" ");
// Not a sync call: the agent lives in this process.
const run = promisify(execFile);

/** ssh-keygen signs with the private key that the agent has, and checks the signature. */
async function signs(socket: string, key: string): Promise<void> {
  const data = `${key}.data`;
  writeFileSync(data, "to be signed");
  rmSync(key);
  await run("ssh-keygen", ["-Y", "sign", "-f", `${key}.pub`, "-n", "test", data], { env: { ...process.env, SSH_AUTH_SOCK: socket }, timeout: 20_000 });
  const allowed = `${key}.allowed`;
  writeFileSync(allowed, `me ${words(key).slice(0, 2).join(" ")}\n`);
  execFileSync("ssh-keygen", ["-Y", "verify", "-f", allowed, "-I", "me", "-n", "test", "-s", `${data}.sig`], { input: "to be signed", stdio: ["pipe", "pipe", "pipe"] });
}

for (const [kind, ...flags] of [["ed25519", "-t", "ed25519"], ["rsa", "-t", "rsa", "-b", "2048"], ["ecdsa", "-t", "ecdsa", "-b", "384"], ["pem", "-t", "rsa", "-b", "2048", "-m", "PEM"]] as const) {
  test(`an agent of a ${kind} key lists it and signs with it`, { skip }, async () => {
    const key = makeKey(`key-${kind}`, ...flags);
    await using socket = await createAgents([{ id: "default", paths: [key], raw: false }]).open("default", socketFile(`s-${kind}`));
    assert.ok(socket !== null);
    const { stdout } = await run("ssh-add", ["-L"], { env: { ...process.env, SSH_AUTH_SOCK: socket.path }, timeout: 20_000 });
    assert.equal(stdout.split(" ")[1], words(key)[1]);
    await signs(socket.path, key);
  });
}

test("createAgents() refuses keys with a passphrase, files that are no keys and agents that are not there", { skip }, async () => {
  const locked = path.join(dir.path, "locked");
  execFileSync("ssh-keygen", ["-q", "-f", locked, "-N", "passphrase"]);
  writeFileSync(path.join(dir.path, "none"), "hello");
  for (const [paths, message] of [
    [[locked], /it has a passphrase/],
    [[path.join(dir.path, "none")], /it is no private key/],
    [[path.join(dir.path, "absent")], /does not exist/],
    [[], /\$SSH_AUTH_SOCK is not set/],
  ] as const) {
    await assert.rejects(async () => createAgents([{ id: "a", paths, raw: false }], {}).open("a", socketFile("x")), (error) => isTbuildError(error) && message.test(error.message));
  }
});

test("a socket is passed on, has the owner and mode asked for, and is gone afterwards", async () => {
  const behind = path.join(dir.path, "behind");
  const echo = net.createServer((connection) => connection.pipe(connection)).listen(behind);
  const agents = createAgents([{ id: "raw", paths: [behind], raw: true }]);
  const file = { path: path.join(dir.path, "front"), uid: 3, gid: 4, mode: 0o640 };
  {
    await using socket = await agents.open("raw", file);
    assert.deepEqual([statSync(file.path).uid, statSync(file.path).gid, statSync(file.path).mode & 0o777], [3, 4, 0o640]);
    const said = await new Promise<string>((done) => {
      const client = net.connect(socket!.path, () => client.write("hello"));
      client.once("data", (data) => done(data.toString()));
    });
    assert.equal(said, "hello");
  }
  assert.equal(existsSync(file.path), false);
  assert.equal(await agents.open("other", file), null);
  echo.close();
});

test("RUN --mount=type=ssh sees the agent of its id, and only with one", async () => {
  await using builder = await testBuilder();
  const behind = path.join(dir.path, "agent");
  const server = net.createServer((connection) => connection.pipe(connection)).listen(behind);
  const dockerfile = [
    `FROM ${BASE}`,
    "RUN --mount=type=ssh,mode=0666,uid=5 stat -c '%F %a %u' $SSH_AUTH_SOCK; echo $SSH_AUTH_SOCK",
    "RUN --mount=type=ssh,id=other ls /run/buildkit 2>&1 | grep -c 'No such'",
    "RUN ls /run/buildkit 2>&1 | grep -c 'No such' # later",
  ].join("\n");
  const context = builder.context({ Dockerfile: dockerfile });
  const { output } = await builder.run({ context, ssh: [{ id: "default", paths: [behind], raw: false }] });
  server.close();
  assert.equal(output, "socket 666 5\n/run/buildkit/ssh_agent.0\n1\n1\n");
});

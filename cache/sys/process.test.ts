import assert from "node:assert/strict";
import fs from "node:fs";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { spawnProcess } from "./process.js";
import type { SpawnOptions } from "./process.js";

const env = ["PATH=/usr/bin:/bin"];

async function output(options: Omit<SpawnOptions, "env">): Promise<string> {
  const child = spawnProcess({ env, stdout: "pipe", ...options });
  assert.ok(child.stdout);
  const [out] = await Promise.all([text(child.stdout), child.exited]);
  return out;
}

test("spawnProcess() returns output and exit status", async () => {
  const child = spawnProcess({ argv: ["sh", "-c", "echo out; echo err >&2; exit 7"], env, stdout: "pipe", stderr: "pipe" });
  assert.ok(child.stdout && child.stderr);
  const [out, err, status] = await Promise.all([text(child.stdout), text(child.stderr), child.exited]);
  assert.deepEqual([out, err, status], ["out\n", "err\n", { exitCode: 7, signal: null }]);
});

test("spawnProcess() feeds stdin", async () => {
  const child = spawnProcess({ argv: ["cat"], env, stdin: "pipe", stdout: "pipe" });
  assert.ok(child.stdin && child.stdout);
  child.stdin.end("hello");
  assert.equal(await text(child.stdout), "hello");
  assert.deepEqual(await child.exited, { exitCode: 0, signal: null });
});

test("spawnProcess() throws ENOENT for a missing program and leaks no descriptor", () => {
  const before = fs.readdirSync("/proc/self/fd").length;
  for (let i = 0; i < 5; i++) {
    const missing = { code: "ENOENT", path: "no-such-program" };
    assert.throws(() => spawnProcess({ argv: ["no-such-program"], env, stdout: "pipe" }), missing);
  }
  assert.equal(fs.readdirSync("/proc/self/fd").length, before);
});

test("spawnProcess() gives the child only the standard streams", async () => {
  const probe = 'for fd in $(seq 3 60); do [ ! -e "/proc/$$/fd/$fd" ] || echo "$fd"; done';
  assert.equal(await output({ argv: ["sh", "-c", probe] }), "");
});

test("spawnProcess() passes exactly the environment, the directory and the arguments", async () => {
  const argv = ["/bin/sh", "-c", 'pwd; echo "$1:$HOME:$PATH"', "sh", "a b é"];
  assert.equal(await output({ argv, cwd: "/proc" }), "/proc\na b é::/usr/bin:/bin\n");
});

test("spawnProcess() writes to a descriptor of ours and to standard streams crosswise", async () => {
  const child = spawnProcess({ argv: ["sh", "-c", "exec true"], env, stdout: 2, stderr: 1 });
  assert.deepEqual(await child.exited, { exitCode: 0, signal: null });
});

test("kill() ends the process with the signal, and is false afterwards", async () => {
  const child = spawnProcess({ argv: ["sleep", "60"], env });
  assert.equal(child.kill("SIGTERM"), true);
  assert.deepEqual(await child.exited, { exitCode: null, signal: "SIGTERM" });
  assert.equal(child.kill("SIGTERM"), false);
});

test("spawnProcess() restores SIGPIPE, which Node ignores", async () => {
  const ignored = await output({ argv: ["sh", "-c", "grep SigIgn /proc/$$/status"] });
  const mask = BigInt(`0x${/SigIgn:\s(\w+)/.exec(ignored)?.[1]}`);
  assert.equal(mask & 0x7fffffffn, 0n); // above are two signals of the C library's own
});

test("spawnProcess() starts a session of its own when asked", async () => {
  const sessionIsOwn = ["sh", "-c", "read -r _ _ _ _ _ session _ </proc/$$/stat; [ $session = $$ ] && echo own || echo shared"];
  assert.equal(await output({ argv: sessionIsOwn, setsid: true }), "own\n");
  assert.equal(await output({ argv: sessionIsOwn }), "shared\n");
});

test("exited settles for each of many processes at once", async () => {
  const children = Array.from({ length: 30 }, (_, i) => spawnProcess({ argv: ["sh", "-c", `exit ${i}`], env }));
  const codes = (await Promise.all(children.map((child) => child.exited))).map((status) => status.exitCode);
  assert.deepEqual(codes, Array.from({ length: 30 }, (_, i) => i));
});

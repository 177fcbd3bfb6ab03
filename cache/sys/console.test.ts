import assert from "node:assert/strict";
import { test } from "node:test";
import { openConsole } from "./console.js";
import { spawnProcess } from "./process.js";

function run(script: string, fd: number) {
  return spawnProcess({ argv: ["/bin/sh", "-c", script], env: ["PATH=/bin:/usr/bin"], stdin: fd, stdout: fd, stderr: fd, setsid: true });
}

test("openConsole() joins a process to us, and ends when the process does", async () => {
  using console = openConsole();
  console.resize(24, 132);
  const child = run("stty size; read line; echo $line >&2", console.fd);
  void child.exited.then(() => console.ended());
  console.write(Buffer.from("typed\n"));
  const chunks: Buffer[] = [];
  for await (const chunk of console.output) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  assert.match(text, /24 132\r\n/);
  assert.match(text, /typed\r\n$/);
  assert.equal((await child.exited).exitCode, 0);
});

test("openConsole() takes more than a terminal holds, in order", async () => {
  using console = openConsole();
  const child = run("stty raw -echo; echo ready; sleep 0.3; head -c 300000 | md5sum", console.fd);
  void child.exited.then(() => console.ended());
  const lines: string[] = [];
  for await (const chunk of console.output) {
    lines.push(String(chunk));
    if (lines.join("").includes("ready") && lines.length === 1) for (let i = 0; i < 300; i++) console.write(Buffer.alloc(1000, `${i},`));
  }
  await child.exited;
  const { createHash } = await import("node:crypto");
  const all = Buffer.concat(Array.from({ length: 300 }, (_, i) => Buffer.alloc(1000, `${i},`)));
  assert.ok(lines.join("").includes(createHash("md5").update(all).digest("hex")), lines.join(""));
});

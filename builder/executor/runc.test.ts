import assert from "node:assert/strict";
import { cpSync, existsSync, linkSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import test from "node:test";
import { hasCode } from "../../cache/errors.js";
import { hostPlatform } from "../../cache/oci/platform.js";
import type { ProcessResult, ProcessSpec } from "./executor.js";
import { findProgram } from "./host.js";
import { runcExecutor } from "./runc.js";

interface Sandbox extends Disposable {
  readonly rootfs: string;
  readonly scratch: string;
  run(args: readonly string[], more?: Partial<ProcessSpec>, signal?: AbortSignal): Promise<ProcessResult & { output: string }>;
}

let count = 0;

/** A root file system with nothing but busybox, and an executor for it. */
function sandbox(): Sandbox {
  const dir = mkdtempSync(path.join(tmpdir(), "tbuild-runc-"));
  const rootfs = path.join(dir, "rootfs");
  mkdirSync(path.join(rootfs, "bin"), { recursive: true });
  cpSync("/bin/busybox", path.join(rootfs, "bin/busybox"));
  for (const name of ["sh", "cat", "sleep", "id", "kill", "ls", "hostname", "mount"]) linkSync(path.join(rootfs, "bin/busybox"), path.join(rootfs, "bin", name));
  const scratch = path.join(dir, "scratch");
  const executor = runcExecutor({ runtime: findProgram("runc"), scratch, architecture: hostPlatform().architecture });
  return {
    rootfs,
    scratch,
    async run(args, more = {}, signal) {
      const output: Uint8Array[] = [];
      const result = await executor.run({ ...spec(rootfs, args), ...more }, { signal, onOutput: (_, chunk) => void output.push(chunk) });
      return { ...result, output: Buffer.concat(output).toString() };
    },
    [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }),
  };
}

function spec(rootfs: string, args: readonly string[]): ProcessSpec {
  return {
    id: `tbuild-test-${process.pid}-${count++}`,
    rootfs,
    readonlyRootfs: false,
    args,
    env: ["PATH=/bin"],
    cwd: "/",
    user: "",
    mounts: [],
    network: "default",
    security: "sandbox",
    hostname: "buildkitsandbox",
    extraHosts: [],
    ulimits: [],
    cgroupParent: "",
    shmSize: null,
  };
}

test("runcExecutor() runs a process and passes its output on", async () => {
  using box = sandbox();
  const result = await box.run(["/bin/sh", "-c", "echo out; echo err >&2; hostname"]);
  assert.equal(result.exitCode, 0);
  assert.deepEqual(result.output.trim().split("\n").sort(), ["buildkitsandbox", "err", "out"]);
});

test("runcExecutor() leaves no mount point, bundle or state behind", async () => {
  using box = sandbox();
  const before = statSync(box.rootfs, { bigint: true }).mtimeNs;
  await box.run(["/bin/sh", "-c", "cat /etc/hosts"]);
  assert.deepEqual(readdirSync(box.rootfs), ["bin"]);
  assert.equal(statSync(box.rootfs, { bigint: true }).mtimeNs, before);
  assert.deepEqual(readdirSync(path.join(box.scratch, "bundles")), []);
  assert.deepEqual(readdirSync(path.join(box.scratch, "runtime")), []);
});

test("runcExecutor() keeps what the process wrote into a mount point's directory", async () => {
  using box = sandbox();
  await box.run(["/bin/sh", "-c", "echo hi > /etc/motd"]);
  assert.equal(readFileSync(path.join(box.rootfs, "etc/motd"), "utf8"), "hi\n");
  assert.ok(!existsSync(path.join(box.rootfs, "etc/hosts")));
});

const exits: readonly [string, number, string | null][] = [
  ["exit 3", 3, null],
  ["kill -9 $$", 137, "SIGKILL"],
];

for (const [script, exitCode, signal] of exits) {
  test(`runcExecutor() reports "${script}" as ${exitCode}`, async () => {
    using box = sandbox();
    // A pid namespace's first process ignores signals from inside, so that a child is used.
    const result = await box.run(["/bin/sh", "-c", `sh -c '${script}'; exit $?`]);
    assert.equal(result.exitCode, exitCode);
    assert.equal(result.signal, signal);
    assert.equal(result.outOfMemory, false);
  });
}

test("runcExecutor() reports a missing command as 127 with the reason", async () => {
  using box = sandbox();
  const result = await box.run(["nope"]);
  assert.equal(result.exitCode, 127);
  assert.match(result.output, /executable file not found/);
});

test("runcExecutor() refuses an unknown user before anything runs", async () => {
  using box = sandbox();
  await assert.rejects(box.run(["/bin/id"], { user: "nobody" }), (error) => hasCode(error, "not_found"));
});

test("runcExecutor() runs as the user's ids", async () => {
  using box = sandbox();
  mkdirSync(path.join(box.rootfs, "etc"));
  writeFileSync(path.join(box.rootfs, "etc/passwd"), "web:x:33:34::/:/bin/sh\n");
  writeFileSync(path.join(box.rootfs, "etc/group"), "media:x:50:web\n");
  const { output } = await box.run(["/bin/id"], { user: "web" });
  assert.match(output, /uid=33\(web\) gid=34 groups=50\(media\)/);
});

test("runcExecutor() ends everything in the container when it is cancelled", async () => {
  using box = sandbox();
  const abort = new AbortController();
  const running = box.run(["/bin/sh", "-c", "echo started; sleep 600 & sleep 600"], {}, abort.signal);
  setTimeout(() => abort.abort(), 200);
  await assert.rejects(running, (error) => hasCode(error, "cancelled"));
  assert.deepEqual(readdirSync(path.join(box.scratch, "runtime")), []);
});

test("runcExecutor() forbids what Docker forbids: mount(2) fails", async () => {
  using box = sandbox();
  const result = await box.run(["/bin/sh", "-c", "mount -t tmpfs none /bin"]);
  assert.notEqual(result.exitCode, 0);
});

import assert from "node:assert/strict";
import { closeSync, cpSync, existsSync, linkSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { Socket } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { text } from "node:stream/consumers";
import test from "node:test";
import { hasCode, isTbuildError } from "../../cache/errors.js";
import { hostPlatform } from "../../cache/oci/platform.js";
import { socketPair } from "../../cache/sys/pipe.js";
import { unlimited } from "../../solver/llb/op.js";
import type { ProcessResult, ProcessSpec, Stdio } from "./executor.js";
import { findProgram } from "./host.js";
import { runcExecutor } from "./runc.js";

interface Sandbox extends Disposable {
  readonly rootfs: string;
  readonly scratch: string;
  run(args: readonly string[], more?: Partial<ProcessSpec>, signal?: AbortSignal, stdio?: Partial<Stdio>): Promise<ProcessResult & { output: string }>;
}

let count = 0;

/** A root file system with nothing but busybox, and an executor for it. */
function sandbox(): Sandbox {
  const dir = mkdtempSync(path.join(tmpdir(), "tbuild-runc-"));
  const rootfs = path.join(dir, "rootfs");
  mkdirSync(path.join(rootfs, "bin"), { recursive: true });
  cpSync("/bin/busybox", path.join(rootfs, "bin/busybox"));
  for (const name of ["sh", "cat", "sleep", "id", "kill", "ls", "hostname", "mount", "tail", "grep", "mknod"]) linkSync(path.join(rootfs, "bin/busybox"), path.join(rootfs, "bin", name));
  const scratch = path.join(dir, "scratch");
  const executor = runcExecutor({ runtime: findProgram("runc"), scratch, architecture: hostPlatform().architecture, cdiDirs: [path.join(dir, "cdi")] });
  return {
    rootfs,
    scratch,
    async run(args, more = {}, signal, stdio = {}) {
      const output: Uint8Array[] = [];
      const result = await executor.run({ ...spec(rootfs, args), ...more }, { signal, onOutput: (_, chunk) => void output.push(chunk), ...stdio });
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
    terminal: false,
    hostname: "buildkitsandbox",
    extraHosts: [],
    ulimits: [],
    cgroupParent: "",
    resources: null,
    devices: [],
  };
}

test("runcExecutor() runs a process and passes its output on", async () => {
  using box = sandbox();
  const result = await box.run(["/bin/sh", "-c", "echo out; echo err >&2; hostname"]);
  assert.equal(result.exitCode, 0);
  assert.deepEqual(result.output.trim().split("\n").sort(), ["buildkitsandbox", "err", "out"]);
});

test("runcExecutor() lets a process talk over a socket, both ways, apart from its errors", async () => {
  using box = sandbox();
  const [own, theirs] = socketPair();
  const connection = new Socket({ fd: own, readable: true, writable: true, allowHalfOpen: true });
  const heard = text(connection);
  connection.end("question\n");
  const talk = { socket: theirs, onStart: () => closeSync(theirs) };
  const { exitCode, output } = await box.run(["/bin/sh", "-c", "cat; echo answer; echo err >&2"], {}, undefined, talk);
  assert.deepEqual({ exitCode, output, heard: await heard }, { exitCode: 0, output: "err\n", heard: "question\nanswer\n" });
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
  assert.match(output, /uid=33\(web\) gid=34 groups=34,50\(media\)/);
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

test("runcExecutor() lets an insecure step do what is forbidden otherwise", async () => {
  using box = sandbox();
  const script = "mount -t tmpfs none /bin/../dev/shm && grep CapEff /proc/self/status && ls /dev/fuse /dev/loop0";
  const { exitCode, output } = await box.run(["/bin/sh", "-c", script], { security: "insecure" });
  assert.equal(exitCode, 0, output);
  const own = /CapEff:\s*(\w+)/.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
  assert.equal(/CapEff:\s*(\w+)/.exec(output)?.[1], own);
  assert.match(output, /\/dev\/fuse\n\/dev\/loop0/);
});

test("runcExecutor() names an exceeded memory limit, also when a child exceeds it", async () => {
  using box = sandbox();
  const resources = { ...unlimited, memory: 32 * 1024 * 1024 };
  for (const script of ["exec tail /dev/zero", "tail /dev/zero || exit 3"]) {
    const { exitCode, outOfMemory } = await box.run(["/bin/sh", "-c", script], { resources });
    assert.notEqual(exitCode, 0);
    assert.equal(outOfMemory, true);
  }
  assert.deepEqual(readdirSync(path.join(box.scratch, "runtime")), []);
});

test("runcExecutor() ends a container with a limit, which is kept, when it is cancelled", async () => {
  using box = sandbox();
  const abort = new AbortController();
  const running = box.run(["/bin/sleep", "600"], { resources: { ...unlimited, memory: 32 * 1024 * 1024 } }, abort.signal);
  setTimeout(() => abort.abort(), 200);
  await assert.rejects(running, (error) => hasCode(error, "cancelled"));
  assert.deepEqual(readdirSync(path.join(box.scratch, "runtime")), []);
});

test("runcExecutor() does not blame memory for another failure below a limit", async () => {
  using box = sandbox();
  const { exitCode, outOfMemory } = await box.run(["/bin/sh", "-c", "sh -c 'kill -9 $$'; exit $?"], { resources: { ...unlimited, memory: 32 * 1024 * 1024 } });
  assert.deepEqual({ exitCode, outOfMemory }, { exitCode: 137, outOfMemory: false });
});

test("runcExecutor() makes the container's cgroup below the one that is named", async () => {
  using box = sandbox();
  const parent = `tbuild/test-${process.pid}`;
  const { output } = await box.run(["/bin/cat", "/proc/self/cgroup"], { cgroupParent: parent });
  assert.ok(output.includes(`:/${parent}/tbuild-test-`) || /^0::\/$/m.test(output), output);
  for (const hierarchy of ["", ...readdirSync("/sys/fs/cgroup")]) {
    const made = path.join("/sys/fs/cgroup", hierarchy, parent);
    if (existsSync(made)) rmdirSync(made);
  }
});

test("runcExecutor() lowers limits, and says which one it may not raise", async () => {
  using box = sandbox();
  const lower = [{ name: "nofile", soft: 100, hard: 200 }, { name: "core", soft: -1, hard: -1 }];
  const { output } = await box.run(["/bin/sh", "-c", "ulimit -n; ulimit -H -n; ulimit -c"], { ulimits: lower });
  assert.equal(output, "100\n200\nunlimited\n");
  const huge = 2 ** 40;
  await assert.rejects(box.run(["/bin/sh"], { ulimits: [{ name: "nofile", soft: huge, hard: huge }] }), (error) => {
    assert.ok(hasCode(error, "permission_denied") && isTbuildError(error));
    assert.match(error.message, /^Cannot set the ulimit "nofile" to 1099511627776/);
    return true;
  });
});

test("runcExecutor() takes host-gateway for this machine", async () => {
  using box = sandbox();
  const { output } = await box.run(["/bin/cat", "/etc/hosts"], { extraHosts: [{ host: "db", ip: "host-gateway" }, { host: "x", ip: "1.2.3.4" }] });
  assert.match(output, /^127\.0\.0\.1\tdb\n1\.2\.3\.4\tx\n/m);
});

test("runcExecutor() gives a step the devices of CDI specifications", async () => {
  using box = sandbox();
  const cdi = path.join(path.dirname(box.rootfs), "cdi");
  mkdirSync(cdi);
  writeFileSync(path.join(cdi, "lib.txt"), "library");
  const device = {
    name: "0",
    containerEdits: {
      env: ["GPU=yes"],
      deviceNodes: [{ path: "/dev/mynull", hostPath: "/dev/null" }],
      mounts: [{ hostPath: path.join(cdi, "lib.txt"), containerPath: "/opt/lib.txt", options: ["ro", "bind"] }],
    },
  };
  writeFileSync(path.join(cdi, "a.json"), JSON.stringify({ cdiVersion: "0.6.0", kind: "acme.com/gpu", devices: [device] }));
  const script = "echo $GPU; echo lost > /dev/mynull; cat /opt/lib.txt /dev/mynull";
  const devices = [{ name: "acme.com/gpu", optional: false }, { name: "acme.com/none", optional: true }];
  const { exitCode, output } = await box.run(["/bin/sh", "-c", script], { devices });
  assert.deepEqual({ exitCode, output }, { exitCode: 0, output: "yes\nlibrary" });
  assert.deepEqual(readdirSync(box.rootfs), ["bin"]);
  await assert.rejects(box.run(["/bin/sh"], { devices: [{ name: "acme.com/other", optional: false }] }), (error) => hasCode(error, "not_found"));
});

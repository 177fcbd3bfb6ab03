import assert from "node:assert/strict";
import test from "node:test";
import type { ProcessSpec } from "./executor.js";
import { resolvConf } from "./netFiles.js";
import { insecureDevices } from "./hostDevices.js";
import { runtimeError } from "./runcLog.js";
import { runtimeSpec, type RuntimeSpec } from "./spec.js";

const step: ProcessSpec = {
  id: "tbuild-1",
  rootfs: "/store/roots/1",
  readonlyRootfs: false,
  args: ["/bin/sh", "-c", "make"],
  env: ["PATH=/bin"],
  cwd: "/src",
  user: "",
  mounts: [
    { kind: "bind", source: "/store/binds/2/src", dest: "/in", readonly: true, isFile: false },
    { kind: "tmpfs", dest: "/tmp", size: 1024 },
  ],
  network: "default",
  security: "sandbox",
  terminal: false,
  hostname: "buildkitsandbox",
  extraHosts: [],
  ulimits: [{ name: "nofile", soft: 1024, hard: 2048 }],
  cgroupParent: "",
  resources: null,
  devices: [],
};

const host = { architecture: "amd64", cgroupVersion: 1, resolvConf: "/s/resolv", hosts: "/s/hosts", capabilities: ["CAP_CHOWN", "CAP_SYS_ADMIN"], insecureDevices: insecureDevices(0) } as const;
const root = { uid: 0, gid: 0, additionalGids: [] };

function types(spec: RuntimeSpec): readonly string[] {
  return (spec.linux["namespaces"] as readonly { readonly type: string }[]).map(({ type }) => type);
}

test("runtimeSpec() gives a step the sandbox that Docker gives a container", () => {
  const spec = runtimeSpec(step, root, host);
  assert.deepEqual(types(spec), ["pid", "ipc", "uts", "mount"]);
  const capabilities = spec.process["capabilities"] as Readonly<Record<string, readonly string[]>>;
  assert.equal(capabilities["bounding"]?.length, 14);
  assert.ok(!capabilities["bounding"]?.includes("CAP_SYS_ADMIN"));
  assert.equal(capabilities["inheritable"], undefined);
  assert.ok((spec.linux["maskedPaths"] as readonly string[]).includes("/proc/kcore"));
  assert.equal(spec.linux.seccomp?.defaultAction, "SCMP_ACT_ERRNO");
  assert.equal(spec.linux["cgroupsPath"], "/tbuild/tbuild-1");
});

test("runtimeSpec() puts the step's mounts after the system's, in order", () => {
  const { mounts } = runtimeSpec(step, root, host);
  assert.deepEqual(mounts.slice(-2), [
    { destination: "/in", type: "bind", source: "/store/binds/2/src", options: ["rbind", "rprivate", "ro"] },
    { destination: "/tmp", type: "tmpfs", source: "tmpfs", options: ["nosuid", "nodev", "mode=1777", "size=1024"] },
  ]);
});

test("runtimeSpec() isolates the network only when asked, and the cgroup tree on cgroup v2", () => {
  assert.ok(types(runtimeSpec({ ...step, network: "none" }, root, host)).includes("network"));
  assert.ok(types(runtimeSpec(step, root, { ...host, cgroupVersion: 2 })).includes("cgroup"));
});

test("runtimeSpec() has no seccomp profile where Docker has none for the architecture", () => {
  assert.equal(runtimeSpec(step, root, { ...host, architecture: "sparc" }).linux.seccomp, undefined);
});

for (const cgroupVersion of [1, 2] as const) {
  test(`runtimeSpec() puts a step's limits into its cgroup, version ${cgroupVersion}`, () => {
    const resources = { memory: 33554432, memorySwap: 67108864, cpuShares: 512, cpuPeriod: 100000, cpuQuota: 50000, cpusetCpus: "0", cpusetMems: "0" };
    const { linux } = runtimeSpec({ ...step, resources, cgroupParent: "builds" }, root, { ...host, cgroupVersion });
    assert.equal(linux["cgroupsPath"], "/builds/tbuild-1");
    assert.deepEqual(linux["resources"], {
      devices: [{ allow: false, access: "rwm" }],
      memory: { limit: 33554432, swap: 67108864 },
      cpu: { shares: 512, quota: 50000, period: 100000, cpus: "0", mems: "0" },
    });
  });
}

test("runtimeSpec() lifts the sandbox from an insecure step", () => {
  const { process, linux, mounts } = runtimeSpec({ ...step, security: "insecure" }, root, host);
  const all = host.capabilities;
  assert.deepEqual(process["capabilities"], { bounding: all, effective: all, permitted: all, inheritable: all, ambient: all });
  assert.equal(linux.seccomp, undefined);
  assert.deepEqual([linux["maskedPaths"], linux["readonlyPaths"]], [[], []]);
  assert.deepEqual(linux["resources"], { devices: [{ allow: true, type: "c", access: "rwm" }, { allow: true, type: "b", access: "rwm" }] });
  assert.deepEqual(linux["devices"], host.insecureDevices);
  for (const place of ["/sys", "/sys/fs/cgroup"]) assert.equal(mounts.find(({ destination }) => destination === place)?.options.includes("ro"), false);
});

test("runtimeSpec() puts a step's mount in the place of the system's, once", () => {
  const shm = { kind: "tmpfs", dest: "/dev/shm", size: 1024 } as const;
  const { mounts } = runtimeSpec({ ...step, mounts: [shm] }, root, host);
  const found = mounts.filter(({ destination }) => destination === "/dev/shm");
  assert.deepEqual(found.map(({ options }) => options.filter((option) => option.startsWith("size="))), [["size=1024"]]);
});

test("runtimeSpec() applies the edits of devices", () => {
  const edits = {
    env: ["GPU=0"],
    devices: [{ node: { path: "/dev/x", type: "c", major: 1, minor: 3 }, access: "rw" }, { node: { path: "/dev/f", type: "p" }, access: "rw" }],
    mounts: [{ hostPath: "/lib/x", containerPath: "/usr/lib/x", options: ["ro", "bind"] }],
    hooks: [{ hookName: "createContainer", path: "/bin/hook", args: ["hook"] }],
    additionalGids: [44],
  } as const;
  const spec = runtimeSpec(step, { uid: 5, gid: 6, additionalGids: [7] }, host, edits);
  assert.deepEqual(spec.process["user"], { uid: 5, gid: 6, additionalGids: [6, 7, 44] });
  assert.deepEqual(spec.process["env"], ["PATH=/bin", "GPU=0"]);
  assert.deepEqual(spec.linux["devices"], [
    { uid: 5, gid: 6, path: "/dev/x", type: "c", major: 1, minor: 3 },
    { uid: 5, gid: 6, path: "/dev/f", type: "p" },
  ]);
  const allowed = { allow: true, type: "c", major: 1, minor: 3, access: "rw" };
  assert.deepEqual(spec.linux["resources"], { devices: [{ allow: false, access: "rwm" }, allowed] });
  assert.deepEqual(spec.mounts.at(-1), { destination: "/usr/lib/x", type: "bind", source: "/lib/x", options: ["ro", "bind"] });
  assert.deepEqual(spec.hooks, { createContainer: [{ path: "/bin/hook", args: ["hook"] }] });
});

test("resolvConf() leaves loopback resolvers out only for a network of its own", () => {
  const text = "nameserver 127.0.0.53\nnameserver 10.0.0.1\noptions edns0\n";
  assert.equal(resolvConf(text, true), text);
  assert.equal(resolvConf(text, false), "nameserver 10.0.0.1\noptions edns0\n");
});

const failures: readonly [string, number | null, string][] = [
  ['runc run failed: unable to start container process: exec: "nope": executable file not found in $PATH', 127, 'exec: "nope": executable file not found in $PATH'],
  ["runc run failed: unable to start container process: exec: /x: permission denied", 126, "exec: /x: permission denied"],
  ["runc run failed: container with given ID already exists", null, "runc run failed: container with given ID already exists"],
];

for (const [msg, exitCode, message] of failures) {
  test(`runtimeError() reads "${message}"`, () => {
    const log = `{"level":"warning","msg":"x"}\n${JSON.stringify({ level: "error", msg })}\n`;
    assert.deepEqual(runtimeError(log), { message, exitCode });
  });
}

test("runtimeError() is null when the log has no error", () => {
  assert.equal(runtimeError('{"level":"info","msg":"x"}\nnot json\n'), null);
});

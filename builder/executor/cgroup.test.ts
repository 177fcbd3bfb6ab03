import assert from "node:assert/strict";
import { test } from "node:test";
import { hasCode } from "../../cache/errors.js";
import { unlimited } from "../../solver/llb/op.js";
import { cgroupsPath, oomKillsIn, specResources } from "./cgroup.js";

test("cgroupsPath() is below tbuild's cgroup, or the one that was named, and never above the root", () => {
  assert.equal(cgroupsPath("", "c1"), "/tbuild/c1");
  assert.equal(cgroupsPath("builds/heavy", "c1"), "/builds/heavy/c1");
  assert.equal(cgroupsPath("/builds", "c1"), "/builds/c1");
  assert.equal(cgroupsPath("../../..", "c1"), "/c1");
});

test("cgroupsPath() refuses a systemd slice", () => {
  assert.throws(() => cgroupsPath("system.slice:tbuild:", "c1"), (error) => hasCode(error, "unsupported"));
});

test("specResources() has what is set and nothing else", () => {
  assert.deepEqual(specResources(unlimited), {});
  assert.deepEqual(specResources({ ...unlimited, memory: 1024, memorySwap: -1 }), { memory: { limit: 1024, swap: -1 } });
  assert.deepEqual(
    specResources({ ...unlimited, cpuShares: 2, cpuQuota: 3, cpuPeriod: 4, cpusetCpus: "0-1", cpusetMems: "0" }),
    { cpu: { shares: 2, quota: 3, period: 4, cpus: "0-1", mems: "0" } },
  );
});

test("oomKillsIn() reads both versions of cgroups", () => {
  assert.equal(oomKillsIn("oom_kill_disable 0\nunder_oom 0\noom_kill 2\n"), 2);
  assert.equal(oomKillsIn("low 0\nhigh 0\nmax 7\noom 1\noom_kill 1\noom_group_kill 0\n"), 1);
  assert.equal(oomKillsIn(""), 0);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { hasCode } from "../../../cache/errors.js";
import { requestOf } from "./frontendOpt.js";

test("requestOf() reads what buildctl and buildx send", () => {
  const request = requestOf({
    target: "t", "build-arg:A": "1", "build-arg:B": "", "label:l": "x=y", platform: "linux/amd64,linux/arm/v7", "multi-platform": "true",
    "no-cache": "", "image-resolve-mode": "pull", "add-hosts": "Host=10.0.0.1,other=::1", "force-network-mode": "none", hostname: "h",
    "cgroup-parent": "/p", "shm-size": "1024", ulimit: "nofile=10:20,nproc=5", memory: "100", memswap: "-1", cpusetcpus: "0-1,3", filename: "D",
  });
  assert.deepEqual(request, {
    target: "t",
    buildArgs: { BUILDKIT_MULTI_PLATFORM: "true", A: "1", B: "" },
    labels: { l: "x=y" },
    platforms: [{ os: "linux", architecture: "amd64" }, { os: "linux", architecture: "arm", variant: "v7" }],
    noCache: true,
    noCacheFilter: [],
    pull: true,
    extraHosts: [{ host: "host", ip: "10.0.0.1" }, { host: "other", ip: "::1" }],
    network: "none",
    hostname: "h",
    cgroupParent: "/p",
    shmSize: 1024,
    ulimits: [{ name: "nofile", soft: 10, hard: 20 }, { name: "nproc", soft: 5, hard: 5 }],
    resources: { memory: 100, memorySwap: -1, cpusetCpus: "0-1,3" },
  });
});

test("requestOf() of no options is a plain build", () => {
  const { buildArgs, platforms, noCache, noCacheFilter, pull, network, resources, target } = requestOf({ target: "", "no-cache": "a,b" });
  assert.deepEqual([buildArgs, platforms, noCache, noCacheFilter, pull, network, resources, target], [{}, [], false, ["a", "b"], false, "default", undefined, undefined]);
});

test("requestOf() refuses values that are none, by name", () => {
  for (const [key, value] of Object.entries({
    "add-hosts": "a=b", ulimit: "nofile", memory: "0", memswap: "0", cpushares: "x", cpusetmems: "a", "shm-size": "-1",
    "force-network-mode": "bridge", "image-resolve-mode": "never",
  })) {
    assert.throws(() => requestOf({ [key]: value }), (error: Error) => hasCode(error, "invalid_argument") && error.message.includes(key));
  }
  assert.throws(() => requestOf({ "build-arg:BUILDKIT_DISABLE_FILEOP": "1" }), (error) => hasCode(error, "unsupported"));
});

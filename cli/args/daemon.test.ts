import assert from "node:assert/strict";
import { test } from "node:test";
import { isTbuildError } from "../../cache/errors.js";
import { parseArgs } from "./parse.js";
import type { DaemonArgs } from "./daemon.js";

const parse = async (line: string) => (await parseArgs(`daemon ${line}`.trim().split(" "), 80)) as DaemonArgs;

const defaults: DaemonArgs = {
  command: "daemon",
  root: undefined,
  config: undefined,
  addr: [],
  group: undefined,
  tlsCert: undefined,
  tlsKey: undefined,
  tlsCa: undefined,
  debug: false,
  debugAddr: undefined,
  ociWorker: undefined,
  labels: [],
  platforms: [],
  snapshotter: undefined,
  binary: undefined,
  maxParallelism: undefined,
  gc: undefined,
  gcLimits: undefined,
  entitlements: [],
  cdiDisabled: false,
  cdiSpecDirs: [],
  warnings: [],
};

const mb = (count: number) => ({ kind: "bytes", bytes: count * 1e6 }) as const;

const cases: readonly (readonly [string, Partial<DaemonArgs>])[] = [
  ["", {}],
  ["--addr unix:///a --addr tcp://b:1 --root /r --config c.toml", { addr: ["unix:///a", "tcp://b:1"], root: "/r", config: "c.toml" }],
  ["--tlscert c --tlskey k --tlscacert a --group docker --debug", { tlsCert: "c", tlsKey: "k", tlsCa: "a", group: "docker", debug: true }],
  ["--oci-worker-labels a=b --oci-worker-labels c=d --oci-worker-platform linux/amd64,linux/arm64", { labels: ["a=b", "c=d"], platforms: ["linux/amd64,linux/arm64"] }],
  ["--oci-worker-binary crun --oci-worker-snapshotter native --oci-max-parallelism 4", { binary: "crun", snapshotter: "native", maxParallelism: 4 }],
  ["--oci-worker=true --containerd-worker=false --oci-worker-net host --oci-max-parallelism 0", { ociWorker: true }],
  ["--allow-insecure-entitlement network.host --cdi-disabled --cdi-spec-dir /c", { entitlements: ["network.host"], cdiDisabled: true, cdiSpecDirs: ["/c"] }],
  ["--oci-worker-gc=false --oci-worker-gc-keepstorage 10,20", { gc: false, gcLimits: { reserved: mb(10), minFree: mb(20), maxUsed: null } }],
  ["--oci-worker-gc-keepstorage 10,20,30", { gcLimits: { reserved: mb(10), minFree: mb(20), maxUsed: mb(30) } }],
  ["--rootless=false --containerd-worker auto", {}],
  ["--trace --log-format json", { warnings: ["Ignoring --log-format: it changes nothing here", "Ignoring --trace: it changes nothing here"] }],
];

test("parseArgs() reads buildkitd's options", async () => {
  for (const [line, expected] of cases) assert.deepEqual(await parse(line), { ...defaults, ...expected }, line);
});

const refusals: readonly (readonly [string, RegExp])[] = [
  ["--containerd-worker=true", /Cannot use --containerd-worker/],
  ["--oci-worker=false", /Cannot use --oci-worker=false/],
  ["--oci-worker=maybe", /Cannot read --oci-worker "maybe"/],
  ["--oci-worker-no-process-sandbox", /Cannot use --oci-worker-no-process-sandbox/],
  ["--rootless", /Cannot use --rootless/],
  ["--oci-worker-apparmor-profile x", /Cannot use --oci-worker-apparmor-profile/],
  ["--oci-worker-net cni", /Cannot use --oci-worker-net=cni/],
  ["--oci-max-parallelism many", /Cannot read --oci-max-parallelism/],
  ["--oci-worker-gc-keepstorage 10GB", /Cannot read --oci-worker-gc-keepstorage "10GB"/],
  ["--adr x", /Unknown option "--adr"/],
  ["word", /Unexpected word "word"/],
];

test("parseArgs() refuses options of buildkitd that promise what is not done", async () => {
  for (const [line, message] of refusals) {
    await assert.rejects(parse(line), (error) => isTbuildError(error) && error.code === "usage" && message.test(error.message), line);
  }
});

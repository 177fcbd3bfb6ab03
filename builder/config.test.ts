import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import { hasCode, isTbuildError } from "../cache/errors.js";
import { loadConfig, parseConfig } from "./config.js";

const parse = (text: string) => parseConfig({ file: "tbuild.toml", text });

test("parseConfig() reads a buildkitd.toml", async () => {
  const config = await parse(`
[registry."docker.io"]
  mirrors = ["localhost:5000", "mirror.example/proxy"]
[registry."localhost:5000"]
  http = true
  ca = ["/etc/ca.pem"]
  [[registry."localhost:5000".keypair]]
    key = "k.pem"
    cert = "c.pem"
[history]
  maxAge = "24h"
  maxEntries = 10
  maxSize = "1MB"
[worker.oci]
  max-parallelism = 4
  maxBuildParallelism = 2
  maxStoreSize = "50GB"
  gc = false
  reservedSpace = "20%"
  maxUsedSpace = "1.5GiB"
  maxLayerSize = "10GB"
  [[worker.oci.gcpolicy]]
    keepDuration = "48h30m"
    keepBytes = 1000
    filters = ["type==source.local"]
`);
  assert.deepEqual(config.registries.get("docker.io")?.mirrors, ["localhost:5000", "mirror.example/proxy"]);
  assert.equal(config.registries.get("docker.io")?.http, undefined);
  assert.deepEqual(config.registries.get("localhost:5000")?.keypairs, [{ key: "k.pem", cert: "c.pem" }]);
  assert.deepEqual(config.history, { maxAgeMs: 86_400_000, maxEntries: 10, maxBytes: 1e6 });
  assert.equal(config.worker.maxParallelism, 4);
  assert.equal(config.worker.maxBuildParallelism, 2);
  assert.equal(config.worker.maxStoreSize, 50e9);
  assert.equal(config.worker.gc, false);
  assert.equal(config.worker.maxLayerSize, 10e9);
  assert.deepEqual(config.worker.limits.reserved, { kind: "percent", percent: 20 });
  assert.deepEqual(config.worker.limits.maxUsed, { kind: "bytes", bytes: 1.5 * 2 ** 30 });
  assert.equal(config.worker.policies[0]?.keepDurationMs, 48.5 * 3_600_000);
  assert.deepEqual(config.worker.policies[0]?.reserved, { kind: "bytes", bytes: 1000 });
  assert.deepEqual(config.warnings, []);
});

test("parseConfig() reads what the daemon goes by", async () => {
  const config = await parse(`
root = "/data"
debug = true
insecure-entitlements = ["network.host"]
[grpc]
  address = ["unix:///run/x.sock", "tcp://0.0.0.0:1234"]
  debugAddress = "127.0.0.1:6060"
  uid = 0
  gid = 1000
  [grpc.tls]
    cert = "c.pem"
    key = "k.pem"
    ca = "ca.pem"
[frontend."dockerfile.v0"]
  replaceImages = false
[frontend."gateway.v0"]
  enabled = true
  allowedRepositories = ["example.com/frontend"]
[worker.oci]
  enabled = false
  platforms = ["linux/amd64"]
  [worker.oci.labels]
    "com.example.a" = "b"
`);
  assert.deepEqual(config.daemon, {
    root: "/data",
    debug: true,
    entitlements: ["network.host"],
    addresses: ["unix:///run/x.sock", "tcp://0.0.0.0:1234"],
    debugAddress: "127.0.0.1:6060",
    uid: 0,
    gid: 1000,
    tls: { cert: "c.pem", key: "k.pem", ca: "ca.pem" },
    frontends: { dockerfile: "alone", images: true, repositories: ["example.com/frontend"] },
  });
  assert.deepEqual([config.worker.enabled, config.worker.platforms, config.worker.labels], [false, ["linux/amd64"], { "com.example.a": "b" }]);
  assert.deepEqual(config.warnings, []);
});

test("parseConfig() warns of unknown keys with their line", async () => {
  const { warnings } = await parse(`trace = true\n[worker.oci]\n  gc = true\n  frobnicate = 1\n`);
  assert.deepEqual(warnings, [
    'Ignoring unknown key "trace" in tbuild.toml:1',
    'Ignoring unknown key "worker.oci.frobnicate" in tbuild.toml:4',
  ]);
});

test("parseConfig() locates wrong types and bad syntax", async () => {
  const table: readonly (readonly [string, number, string])[] = [
    [`[worker.oci]\n\nmax-parallelism = "many"\n`, 3, "worker.oci.max-parallelism"],
    [`[registry."a.example"]\nhttp = true\n[registry."b.example"]\nhttp = 1\n`, 4, "registry.b.example.http"],
    [`x = 1\ny = = 2\n`, 2, "Cannot parse tbuild.toml"],
    [`[worker.oci]\nmaxUsedSpace = "lots"\n`, 2, "worker.oci.maxUsedSpace"],
    [`registry = 3\n`, 1, "registry"],
  ];
  for (const [text, line, part] of table) {
    await assert.rejects(parse(text), (error) => {
      assert.ok(isTbuildError(error) && error.code === "parse_failed", String(error));
      assert.equal(error.at?.start.line, line, error.message);
      assert.ok(error.message.includes(part), error.message);
      return true;
    });
  }
});

test("loadConfig() reads the named file, else $TBUILD_CONFIG, and refuses a missing one", async (t) => {
  const dir = mkdtempSync(path.join(os.tmpdir(), "tbuild-config-"));
  t.after(() => rmSync(dir, { recursive: true }));
  const file = path.join(dir, "tbuild.toml");
  writeFileSync(file, `[worker.oci]\nmax-parallelism = 3\n`);
  assert.equal((await loadConfig(file)).worker.maxParallelism, 3);
  process.env["TBUILD_CONFIG"] = file;
  t.after(() => delete process.env["TBUILD_CONFIG"]);
  assert.equal((await loadConfig()).worker.maxParallelism, 3);
  await assert.rejects(loadConfig(path.join(dir, "absent.toml")), (error) => hasCode(error, "not_found"));
});

test("parseConfig() reads where CDI specifications are", async () => {
  const dirs = async (text: string) => (await parse(text)).cdi.dirs;
  assert.deepEqual(await dirs(""), ["/etc/cdi", "/var/run/cdi"]);
  assert.deepEqual(await dirs('[cdi]\nspecDirs = ["/x"]\n'), ["/x"]);
  assert.deepEqual(await dirs('[cdi]\ndisabled = true\nspecDirs = ["/x"]\n'), []);
});

test("parseConfig() refuses a size of layers that is a share or nothing", async () => {
  for (const value of ['"10%"', "0", '"many"']) {
    await assert.rejects(parse(`[worker.oci]\nmaxLayerSize = ${value}\n`), (error) => hasCode(error, "parse_failed"), value);
  }
});

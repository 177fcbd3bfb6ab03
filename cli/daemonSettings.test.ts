import assert from "node:assert/strict";
import { test } from "node:test";
import { isTbuildError } from "../cache/errors.js";
import { parseConfig } from "../builder/config.js";
import type { DaemonArgs } from "./args/daemon.js";
import { parseArgs } from "./args/parse.js";
import { daemonSettings } from "./daemonSettings.js";

async function settings(line: string, toml = "") {
  const args = (await parseArgs(`daemon ${line}`.trim().split(" "), 80)) as DaemonArgs;
  return daemonSettings(args, await parseConfig({ file: "tbuild.toml", text: toml }));
}

test("daemonSettings() listens on a socket of its own unless told otherwise", async () => {
  const { addresses, tls, platforms, warnings } = await settings("");
  assert.deepEqual(addresses, [{ kind: "unix", path: "/run/tbuild/tbuildd.sock" }]);
  assert.deepEqual([tls, platforms, warnings], [null, null, []]);
});

test("daemonSettings() puts the command line before the file", async () => {
  const toml = `
root = "/file"
insecure-entitlements = ["device"]
[grpc]
address = ["tcp://127.0.0.1:1"]
gid = 5
[grpc.tls]
cert = "c"
key = "k"
[worker.oci]
platforms = ["linux/arm64"]
[worker.oci.labels]
a = "1"
b = "2"
`;
  const ofFile = await settings("", toml);
  assert.deepEqual(ofFile.addresses, [{ kind: "tcp", host: "127.0.0.1", port: 1 }]);
  assert.deepEqual([ofFile.root, ofFile.owner.gid, ofFile.entitlements], ["/file", 5, ["device"]]);
  assert.deepEqual(ofFile.tls, { cert: "c", key: "k", ca: null });
  assert.deepEqual(ofFile.platforms, [{ os: "linux", architecture: "arm64" }]);
  const line = "--root /line --addr unix:///x --group root --tlskey k2 --tlscacert ca --oci-worker-labels b=3 --oci-worker-platform linux/amd64,linux/386 --allow-insecure-entitlement network.host";
  const both = await settings(line, toml);
  assert.deepEqual([both.root, both.owner.gid, both.entitlements], ["/line", 0, ["network.host"]]);
  assert.deepEqual(both.tls, { cert: "c", key: "k2", ca: "ca" });
  assert.deepEqual(both.labels, { a: "1", b: "3" });
  assert.deepEqual(both.platforms?.map(({ architecture }) => architecture), ["amd64", "386"]);
});

test("daemonSettings() warns of an open door", async () => {
  assert.match((await settings("--addr tcp://0.0.0.0:1")).warnings.join(), /Anybody who reaches/);
  assert.deepEqual((await settings("--addr tcp://0.0.0.0:1 --tlscert c --tlskey k")).warnings, []);
});

const refusals: readonly (readonly [string, string, RegExp])[] = [
  ["--tlscert c", "", /without certificate and key/],
  ["--tlscacert c", "", /without certificate and key/],
  ["--addr nonsense", "", /Cannot listen on "nonsense"/],
  ["--group no-such-group", "", /no such group/],
  ["--oci-worker-labels x", "", /Cannot read label "x"/],
  ["--allow-insecure-entitlement all", "", /no such entitlement/],
  ["", "[worker.oci]\nenabled = false", /Cannot start without a worker/],
];

test("daemonSettings() refuses what it cannot do", async () => {
  for (const [line, toml, message] of refusals) {
    await assert.rejects(settings(line, toml), (error) => isTbuildError(error) && message.test(error.message), `${line} ${toml}`);
  }
  await settings("--oci-worker=true", "[worker.oci]\nenabled = false");
});

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { hasCode, isTbuildError } from "../../cache/errors.js";
import { deviceEdits, deviceNumbers } from "./edits.js";
import { findDevices, isAutoAllowed } from "./find.js";
import { loadCdi } from "./registry.js";

interface Dirs extends Disposable {
  readonly weak: string;
  readonly strong: string;
}

function dirs(): Dirs {
  const dir = mkdtempSync(path.join(tmpdir(), "tbuild-cdi-"));
  const [weak, strong] = [path.join(dir, "etc"), path.join(dir, "run")] as const;
  for (const one of [weak, strong]) mkdirSync(one);
  return { weak, strong, [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }) };
}

interface Described {
  readonly name: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly containerEdits?: unknown;
}

function describe(file: string, devices: readonly Described[], more: object = {}): void {
  writeFileSync(file, JSON.stringify({ cdiVersion: "0.6.0", kind: "acme.com/gpu", devices, ...more }));
}

const wanted = (name: string) => [{ name, optional: false }];

test("findDevices() finds one by name, the first of its kind, all of its kind, or by class", () => {
  using at = dirs();
  const annotations = { "org.mobyproject.buildkit.device.class": "fast", "org.mobyproject.buildkit.device.autoallow": "true" };
  describe(path.join(at.weak, "a.json"), [{ name: "1" }, { name: "0", annotations }]);
  const registry = loadCdi([at.weak, at.strong]);
  const names = (name: string) => findDevices(registry, wanted(name)).map((device) => device.name);
  assert.deepEqual(names("acme.com/gpu=1"), ["acme.com/gpu=1"]);
  assert.deepEqual(names("acme.com/gpu"), ["acme.com/gpu=0"]);
  assert.deepEqual(names("acme.com/gpu=*"), ["acme.com/gpu=0", "acme.com/gpu=1"]);
  assert.deepEqual(names("fast"), ["acme.com/gpu=0"]);
  assert.deepEqual(registry.devices.map(isAutoAllowed), [true, false]);
});

test("loadCdi() reads specifications in YAML", () => {
  using at = dirs();
  const lines = ["cdiVersion: 0.6.0", "kind: acme.com/tpu", "devices:", "- name: foo", "  containerEdits:", "    env: [FOO=injected]"];
  writeFileSync(path.join(at.weak, "a.yaml"), lines.join("\n"));
  const [device] = findDevices(loadCdi([at.weak]), wanted("acme.com/tpu=foo"));
  assert.deepEqual(device?.edits.env, ["FOO=injected"]);
});

test("findDevices() names what there is when a required device is missing, and what was not read", () => {
  using at = dirs();
  describe(path.join(at.weak, "a.json"), [{ name: "0" }]);
  writeFileSync(path.join(at.weak, "b.yaml"), "kind: [\n");
  writeFileSync(path.join(at.strong, "c.json"), "{");
  const registry = loadCdi([at.weak, at.strong]);
  assert.deepEqual(findDevices(registry, [{ name: "acme.com/tpu", optional: true }]), []);
  assert.throws(() => findDevices(registry, wanted("acme.com/tpu")), (error) => {
    assert.ok(hasCode(error, "not_found") && isTbuildError(error));
    assert.match((error.hint ?? "").replaceAll("\n", " "), /"acme\.com\/gpu=0"; Cannot read the CDI specification ".*b\.yaml": .*; Cannot read the CDI specification ".*c\.json"/);
    return true;
  });
});

test("loadCdi() lets the later directory win, and believes neither of two equals", () => {
  using at = dirs();
  describe(path.join(at.weak, "a.json"), [{ name: "0", containerEdits: { env: ["FROM=weak"] } }]);
  describe(path.join(at.strong, "a.json"), [{ name: "0", containerEdits: { env: ["FROM=strong"] } }]);
  assert.deepEqual(loadCdi([at.weak, at.strong]).devices.map(({ edits }) => edits.env), [["FROM=strong"]]);
  describe(path.join(at.strong, "b.json"), [{ name: "0" }]);
  const registry = loadCdi([at.weak, at.strong]);
  assert.deepEqual(registry.devices, []);
  assert.match(registry.problems[0] ?? "", /^"acme\.com\/gpu=0" is in ".*a\.json" and ".*b\.json"$/);
});

for (const [what, edits] of [["an unknown edit", { intelRdt: {} }], ["a node outside /dev", { deviceNodes: [{ path: "/etc/x" }] }], ["a mount without a place", { mounts: [{ hostPath: "/x" }] }]] as const) {
  test(`loadCdi() does not use a file with ${what}`, () => {
    using at = dirs();
    describe(path.join(at.weak, "a.json"), [{ name: "0", containerEdits: edits }]);
    const { devices, problems } = loadCdi([at.weak]);
    assert.deepEqual([devices.length, problems.length], [0, 1]);
  });
}

test("deviceEdits() takes a file's own edits once, and the numbers of nodes from this machine", () => {
  using at = dirs();
  const node = { path: "/dev/other", hostPath: "/dev/null", permissions: "rw" };
  describe(path.join(at.weak, "a.json"), [{ name: "0", containerEdits: { deviceNodes: [node], additionalGids: [5] } }, { name: "1", containerEdits: { additionalGids: [5] } }], { containerEdits: { env: ["ALL=1"] } });
  const edits = deviceEdits(findDevices(loadCdi([at.weak]), wanted("acme.com/gpu=*")));
  assert.deepEqual(edits.env, ["ALL=1"]);
  assert.deepEqual(edits.devices, [{ node: { type: "c", major: 1, minor: 3, path: "/dev/other" }, access: "rw" }]);
  assert.deepEqual(edits.additionalGids, [5]);
});

test("deviceEdits() refuses a node that is not there, and one that is no device", () => {
  for (const [hostPath, code] of [["/nope", "not_found"], ["/etc/passwd", "invalid_argument"]] as const) {
    using at = dirs();
    describe(path.join(at.weak, "a.json"), [{ name: "0", containerEdits: { deviceNodes: [{ path: "/dev/x", hostPath }] } }]);
    assert.throws(() => deviceEdits(findDevices(loadCdi([at.weak]), wanted("acme.com/gpu"))), (error) => hasCode(error, code));
  }
});

test("deviceNumbers() splits a dev_t", () => {
  assert.deepEqual(deviceNumbers(0x103n), { major: 1, minor: 3 });
  assert.deepEqual(deviceNumbers((0x1n << 44n) | (0xabn << 20n) | 0x0105n), { major: 0x1001, minor: 0xab05 });
});

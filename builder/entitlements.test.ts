import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { hasCode, isTbuildError, type ErrorCode } from "../cache/errors.js";
import { digestOf } from "../cache/oci/digest.js";
import type { Vertex } from "../solver/graph.js";
import { type ComposedExec, emptyMetadata, exec } from "../solver/llb/state.js";
import { checkEntitlements, entitlementsOf } from "./entitlements.js";

const AUTO = { "org.mobyproject.buildkit.device.autoallow": "true" };
const cdi = mkdtempSync(path.join(tmpdir(), "tbuild-entitled-"));
const devices = [{ name: "0" }, { name: "free", annotations: AUTO }];
writeFileSync(path.join(cdi, "a.json"), JSON.stringify({ cdiVersion: "0.6.0", kind: "acme.com/gpu", devices }));
test.after(() => rmSync(cdi, { recursive: true }));

/** One RUN at line 3. */
function step(op: Partial<ComposedExec>): readonly Vertex[] {
  const { body } = exec({ meta: { args: ["true"] }, mounts: [], ...op });
  const at = { file: "Dockerfile", start: { line: 3, column: 1 }, end: { line: 3, column: 9 } };
  return [{ digest: digestOf("v"), op: { inputs: [], platform: null, constraints: null, body }, metadata: emptyMetadata, name: "RUN true", inputs: [], at: [at] }];
}

const device = (name: string, optional = false) => ({ cdiDevices: [{ name, optional }] });

const refused: readonly [string, Partial<ComposedExec>, readonly string[], ErrorCode, RegExp][] = [
  ["--security=insecure", { security: "insecure" }, ["network.host", "device"], "permission_denied", /--allow security\.insecure$/],
  ["--network=host", { network: "host" }, ["security.insecure"], "permission_denied", /--allow network\.host$/],
  ["--device", device("acme.com/gpu=0"), ["device=acme.com/gpu=free"], "permission_denied", /--allow device=acme\.com\/gpu=0$/],
  ["--device of all", device("acme.com/gpu=*"), [], "permission_denied", /--allow device=acme\.com\/gpu=0$/],
  ["a device that is not there", device("acme.com/none"), ["device"], "not_found", /"acme\.com\/gpu=0"/],
];

for (const [what, op, allow, code, hint] of refused) {
  test(`checkEntitlements() refuses ${what} at its line, and says what allows it`, () => {
    assert.throws(() => checkEntitlements(step(op), entitlementsOf({ allow }), [cdi]), (error) => {
      assert.ok(hasCode(error, code) && isTbuildError(error));
      assert.equal(error.at?.start.line, 3);
      assert.match(error.hint ?? "", hint);
      return true;
    });
  });
}

const allowed: readonly [string, Partial<ComposedExec>, readonly string[]][] = [
  ["an ordinary step", {}, []],
  ["--network=none", { network: "none" }, []],
  ["--security=insecure", { security: "insecure" }, ["security.insecure"]],
  ["--network=host", { network: "host" }, ["network.host"]],
  ["any device", device("acme.com/gpu=*"), ["device"]],
  ["one device", device("acme.com/gpu=0"), ["device=acme.com/gpu=0"]],
  ["a kind of devices", device("acme.com/gpu=0"), ["device=acme.com/gpu=*"]],
  ["a device that allows itself", device("acme.com/gpu=free"), []],
  ["an optional device that is not there", device("acme.com/none", true), []],
];

for (const [what, op, allow] of allowed) {
  test(`checkEntitlements() lets ${what} pass`, () => {
    checkEntitlements(step(op), entitlementsOf({ allow }), [cdi]);
  });
}

test("checkEntitlements() warns of an optional device that is not there, and of no other", () => {
  const warnings = (name: string) => checkEntitlements(step(device(name, true)), entitlementsOf({ allow: ["device"] }), [cdi]);
  assert.deepEqual(warnings("acme.com/gpu"), []);
  assert.deepEqual(warnings("acme.com/none").map(({ message, at }) => [/without the device "acme\.com\/none"/.test(message), at?.start.line]), [[true, 3]]);
});

test("entitlementsOf() takes --network=host of the whole build as its permission", () => {
  checkEntitlements(step({ network: "host" }), entitlementsOf({ network: "host" }), []);
  assert.throws(() => checkEntitlements(step({ network: "host" }), entitlementsOf({ network: "none" }), []));
});

for (const allow of ["network", "security.Insecure", "device=", "device=a,alias=b"]) {
  test(`entitlementsOf() refuses "${allow}"`, () => {
    assert.throws(() => entitlementsOf({ allow: [allow] }), (error) => hasCode(error, "usage"));
  });
}

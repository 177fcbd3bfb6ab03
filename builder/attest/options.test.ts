import assert from "node:assert/strict";
import { test } from "node:test";
import { attestOptions, type AttestSpecs } from "./options.js";

test("attestOptions() has the defaults of BuildKit", () => {
  const { provenance, sbom } = attestOptions({ provenance: {}, sbom: {} });
  assert.deepEqual(provenance, { version: "v1", mode: "max", builderId: "", filename: "provenance.json", reproducible: false, inlineOnly: false, completeMaterials: false });
  assert.deepEqual(sbom, { generator: null, params: {} });
});

test("attestOptions() makes nothing that is not asked for, or disabled", () => {
  assert.deepEqual(attestOptions({}), { provenance: null, sbom: null });
  assert.deepEqual(attestOptions({ provenance: { disabled: "true" }, sbom: { disabled: "1" } }), { provenance: null, sbom: null });
});

test("attestOptions() hands what it does not know to the generator", () => {
  assert.deepEqual(attestOptions({ sbom: { generator: "example.com/scan", ARG1: "x" } }).sbom, { generator: "example.com/scan", params: { ARG1: "x" } });
});

const refused: readonly (readonly [AttestSpecs, RegExp])[] = [
  [{ vex: {} }, /unknown attestation type "vex"/],
  [{ provenance: { mode: "all" } }, /invalid mode "all"/],
  [{ provenance: { version: "v2" } }, /invalid provenance SLSA version: v2/],
  [{ provenance: { reproducible: "maybe" } }, /failed to parse reproducible flag "maybe"/],
  [{ sbom: { generator: "" } }, /sbom generator cannot be empty/],
];
for (const [specs, message] of refused) {
  test(`attestOptions() refuses ${JSON.stringify(specs)}`, () => assert.throws(() => attestOptions(specs), message));
}

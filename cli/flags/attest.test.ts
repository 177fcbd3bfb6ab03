import assert from "node:assert/strict";
import { test } from "node:test";
import { hasCode } from "../../cache/errors.js";
import { parseAttest, withAttestValues } from "./attest.js";

const none = { attest: [], provenance: undefined, sbom: undefined };

test("parseAttest() reads --attest and the short forms", () => {
  assert.deepEqual(parseAttest(none), {});
  assert.deepEqual(parseAttest({ ...none, attest: ["type=provenance,mode=min", 'type=sbom,"generator=a,b"'] }), { provenance: { mode: "min" }, sbom: { generator: "a,b" } });
  assert.deepEqual(parseAttest({ ...none, provenance: "true", sbom: "false" }), { provenance: {}, sbom: { disabled: "true" } });
  assert.deepEqual(parseAttest({ attest: ["type=provenance"], provenance: "mode=max,builder-id=x", sbom: undefined }), { provenance: { mode: "max", "builder-id": "x" } });
});

for (const attest of [["mode=min"], ["type=sbom", "type=sbom"], ["type=sbom,x"], ["x"]]) {
  test(`parseAttest() refuses --attest ${attest.join(" --attest ")}`, () => assert.throws(() => parseAttest({ ...none, attest }), (error) => hasCode(error, "usage")));
}

test("withAttestValues() takes no context for a value", () => {
  assert.deepEqual(withAttestValues(["build", "--provenance", "."]), ["build", "--provenance=true", "."]);
  assert.deepEqual(withAttestValues(["build", "--provenance", "mode=max", "--sbom", "false", "."]), ["build", "--provenance", "mode=max", "--sbom", "false", "."]);
  assert.deepEqual(withAttestValues(["build", ".", "--sbom"]), ["build", ".", "--sbom=true"]);
});

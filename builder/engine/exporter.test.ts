import assert from "node:assert/strict";
import { test } from "node:test";
import type { Warning } from "../../solver/progress.js";
import { attestOptions } from "../attest/options.js";
import { warnOfEngine } from "./exporter.js";

test("warnOfEngine() says that attestations do not reach Docker's engine, when they are asked for", () => {
  const warned = (attrs: Readonly<Record<string, string>>, attest: Parameters<typeof attestOptions>[0]): readonly string[] => {
    const found: Warning[] = [];
    warnOfEngine([{ type: "docker", attrs }], attestOptions(attest), (warnings) => void found.push(...warnings));
    return found.map(({ message }) => message);
  };
  assert.deepEqual(warned({}, { sbom: {} }), ["Docker's engine takes no attestations: the image is loaded without them"]);
  assert.deepEqual(warned({ dest: "x.tar" }, { sbom: {} }), []);
  assert.deepEqual(warned({}, {}), []);
  assert.deepEqual(warned({}, { provenance: { disabled: "true" } }), []);
});

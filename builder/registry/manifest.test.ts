import assert from "node:assert/strict";
import { test } from "node:test";
import { hasCode } from "../../cache/errors.js";
import { digestOf } from "../../cache/oci/digest.js";
import { parseImageConfig, parseManifest } from "./manifest.js";

test("parseManifest() and parseImageConfig() refuse what is no image", () => {
  const parse = (value: unknown) => () => parseManifest(
    Buffer.from(typeof value === "string" ? value : JSON.stringify(value)),
    "x",
  );
  const good = { mediaType: "m", digest: digestOf(""), size: 0 };
  const refused = [
    [],
    null,
    "{",
    "\xff",
    {},
    { config: good, layers: [{ ...good, size: -1 }] },
    { config: { ...good, digest: "../x" }, layers: [] },
  ];
  for (const value of refused) assert.throws(parse(value), (error) => hasCode(error, "corrupt"), JSON.stringify(value));
  assert.throws(parse({ schemaVersion: 1, fsLayers: [] }), (error) => hasCode(error, "unsupported"));
  assert.equal(parse({ config: good, layers: [good] })().kind, "manifest");
  assert.throws(() => parseImageConfig(Buffer.from(`{"name":"chart"}`), "x"), (error) => hasCode(error, "unsupported"));
  const bad = Buffer.from(`{"architecture":"amd64","rootfs":{"diff_ids":["latest"]}}`);
  assert.throws(() => parseImageConfig(bad, "x"), (error) => hasCode(error, "corrupt"));
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { hasCode } from "../../cache/errors.js";
import { digestOf } from "../../cache/oci/digest.js";
import { checkManifest, isLayerType, parseImageConfig, parseManifest } from "./manifest.js";

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

test("checkManifest() refuses what is called otherwise than it is, or is two things at once", () => {
  const [index, manifest] = ["application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.v2+json"];
  const check = (value: object, mediaType: string) => () => checkManifest(Buffer.from(JSON.stringify(value)), mediaType, "x");
  for (const type of [index, "", "application/json"]) assert.doesNotThrow(check({ manifests: [] }, type));
  for (const value of [{ manifests: [], mediaType: manifest }, { manifests: [], layers: [] }, { manifests: [], config: {} }]) {
    assert.throws(check(value, ""), (error) => hasCode(error, "corrupt"), JSON.stringify(value));
  }
  assert.throws(check({ manifests: [] }, manifest), (error) => hasCode(error, "corrupt"));
});

test("isLayerType() knows tars of every compression", () => {
  const names = ["oci.image.layer.v1.tar", "oci.image.layer.v1.tar+gzip", "oci.image.layer.v1.tar+zstd", "oci.image.layer.nondistributable.v1.tar+gzip"];
  for (const name of [...names, "docker.image.rootfs.diff.tar.gzip", "docker.image.rootfs.diff.tar", "docker.image.rootfs.foreign.diff.tar.gzip"]) {
    assert.ok(isLayerType(`application/vnd.${name}`), name);
  }
  for (const name of ["oci.image.layer.v1.tar+gzip+encrypted", "in-toto+json", "oci.image.config.v1+json"]) assert.ok(!isLayerType(`application/vnd.${name}`), name);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { digestOf } from "../../cache/oci/digest.js";
import { attestationManifest } from "./attestationManifest.js";

const target = { mediaType: "application/vnd.oci.image.manifest.v1+json", digest: digestOf("x"), size: 1, annotations: { a: "b" } };
const statement = { _type: "https://in-toto.io/Statement/v1", predicateType: "https://spdx.dev/Document", subject: [], predicate: {} };
const parse = (bytes: Buffer) => JSON.parse(bytes.toString("utf8")) as Readonly<Record<string, unknown>>;

test("attestationManifest() is an artifact about its image", () => {
  const { manifest, config, layers } = attestationManifest(target, [statement], "artifact");
  const { artifactType, subject, config: named, layers: blobs } = parse(manifest.bytes);
  assert.equal(artifactType, "application/vnd.docker.attestation.manifest.v1+json");
  assert.deepEqual(subject, { mediaType: target.mediaType, digest: target.digest, size: 1 });
  assert.deepEqual(named, { mediaType: "application/vnd.oci.empty.v1+json", digest: digestOf("{}"), size: 2, data: "e30=" });
  assert.equal(config.bytes.toString(), "{}");
  assert.deepEqual(blobs, [{ mediaType: "application/vnd.in-toto+json", digest: layers[0]?.descriptor.digest, size: layers[0]?.bytes.length, annotations: { "in-toto.io/predicate-type": statement.predicateType } }]);
  assert.deepEqual(manifest.descriptor.annotations, { "vnd.docker.reference.digest": target.digest, "vnd.docker.reference.type": "attestation-manifest" });
});

test("attestationManifest() can look like an image that runs nowhere", () => {
  const { manifest, config, layers } = attestationManifest(target, [statement], "image");
  assert.equal("subject" in parse(manifest.bytes) || "artifactType" in parse(manifest.bytes), false);
  assert.deepEqual(parse(config.bytes), { os: "unknown", architecture: "unknown", config: {}, rootfs: { type: "layers", diff_ids: [layers[0]?.descriptor.digest] } });
});

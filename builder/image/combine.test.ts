import assert from "node:assert/strict";
import test from "node:test";
import { hasCode } from "../../cache/errors.js";
import { type Descriptor, mediaTypes } from "../../cache/oci/descriptor.js";
import { digestOf } from "../../cache/oci/digest.js";
import { parseManifest } from "../registry/manifest.js";
import { combine, type CombineOptions, type CombineSource } from "./combine.js";

const all: CombineOptions = { platforms: [], annotations: [], preferIndex: true };

function manifest(architecture: string, mediaType: string = mediaTypes.ociManifest): CombineSource {
  const config = { mediaType: mediaTypes.ociConfig, digest: digestOf(architecture), size: 2 };
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, config, layers: [] }));
  const platform = { os: "linux", architecture };
  return { bytes, descriptor: { mediaType, digest: digestOf(bytes), size: bytes.length, platform }, parsed: parseManifest(bytes, "it") };
}

function indexOf(...manifests: readonly Descriptor[]): CombineSource {
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests, annotations: { own: "1" } }));
  return { bytes, descriptor: { mediaType: mediaTypes.ociIndex, digest: digestOf(bytes), size: bytes.length }, parsed: parseManifest(bytes, "it") };
}

function made(sources: readonly CombineSource[], options: Partial<CombineOptions> = {}) {
  const { bytes, descriptor } = combine(sources, { ...all, ...options });
  assert.equal(descriptor.digest, digestOf(bytes));
  const parsed = parseManifest(bytes, "it");
  assert.equal(parsed.kind, "index");
  return parsed.kind === "index" ? parsed.index : assert.fail();
}

const [amd, arm] = [manifest("amd64"), manifest("arm64")];
const attestation: Descriptor = {
  ...manifest("attestation").descriptor,
  platform: { os: "unknown", architecture: "unknown" },
  annotations: { "vnd.docker.reference.digest": arm.descriptor.digest },
};

test("combine() names each manifest once, where it came first", () => {
  const index = made([indexOf(arm.descriptor), amd, arm]);
  assert.deepEqual(index.manifests, [arm.descriptor, amd.descriptor]);
  assert.equal(index.annotations, undefined);
});

test("combine() keeps attestations with the manifests that they tell of", () => {
  const source = indexOf(amd.descriptor, arm.descriptor, attestation);
  const platforms = (architecture: string) => made([source], { platforms: [{ os: "linux", architecture }] }).manifests.map(({ digest }) => digest);
  assert.deepEqual(platforms("arm64"), [arm.descriptor.digest, attestation.digest]);
  assert.deepEqual(platforms("amd64"), [amd.descriptor.digest]);
  assert.throws(() => platforms("s390x"), (error) => hasCode(error, "not_found"));
});

test("combine() annotates the index and the entries of a platform, and keeps what a lone index says", () => {
  const annotations = [
    { kind: "index", platform: null, key: "a", value: "1" },
    { kind: "manifest-descriptor", platform: { os: "linux", architecture: "arm64" }, key: "b", value: "2" },
  ] as const;
  const index = made([indexOf(amd.descriptor, arm.descriptor, attestation)], { annotations });
  assert.deepEqual(index.annotations, { a: "1", own: "1" });
  assert.deepEqual(index.manifests.map((entry) => entry.annotations?.["b"]), [undefined, "2", undefined]);
});

test("combine() has Docker's media type for manifests of Docker's alone", () => {
  const docker = [manifest("amd64", mediaTypes.dockerManifest), manifest("arm64", mediaTypes.dockerManifest)];
  assert.equal(made(docker).mediaType, mediaTypes.dockerIndex);
  assert.equal(made([...docker, amd]).mediaType, mediaTypes.ociIndex);
  assert.equal(made(docker, { annotations: [{ kind: "index", platform: null, key: "a", value: "1" }] }).mediaType, mediaTypes.ociIndex);
});

test("combine() keeps a lone source byte for byte", () => {
  const source = indexOf(amd.descriptor);
  assert.deepEqual(combine([source], all).bytes, source.bytes);
  assert.deepEqual(combine([amd], { ...all, preferIndex: false }).bytes, amd.bytes);
  assert.deepEqual(made([amd]).manifests, [amd.descriptor]);
});

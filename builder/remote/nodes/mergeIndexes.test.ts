import assert from "node:assert/strict";
import { test } from "node:test";
import { type Descriptor, type Index, mediaTypes } from "../../../cache/oci/descriptor.js";
import { digestOf } from "../../../cache/oci/digest.js";
import { parsePlatform } from "../../../cache/oci/platform.js";
import { mergeIndexes } from "./mergeIndexes.js";

const manifest = (platform: Descriptor["platform"], annotations?: Descriptor["annotations"]): Descriptor => ({
  mediaType: mediaTypes.ociManifest,
  digest: digestOf(JSON.stringify([platform, annotations])),
  size: 2,
  ...(platform === undefined ? {} : { platform }),
  ...(annotations === undefined ? {} : { annotations }),
});
const said = ({ digest }: Descriptor) => manifest({ os: "unknown", architecture: "unknown" }, { "vnd.docker.reference.digest": digest });
const index = (...manifests: readonly Descriptor[]): Index => ({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests });

const amd64 = manifest({ os: "linux", architecture: "amd64" }, { "own.key": "kept" });
const arm64 = manifest({ os: "linux", architecture: "arm64", variant: "v8" });
const arm = manifest({ os: "linux", architecture: "arm", variant: "v7" });
const platforms = ["linux/arm64", "linux/amd64", "linux/arm/v7"].map((name) => parsePlatform(name));

test("mergeIndexes() puts images in the order asked for, and then what is said of them", () => {
  const parts = [index(amd64, said(amd64)), index(arm, arm64, said(arm), said(arm64))];
  const { bytes, descriptor } = mergeIndexes(parts, { platforms, annotations: [], flavour: "oci" });
  const merged = JSON.parse(bytes.toString("utf8")) as Index;
  assert.deepEqual(merged.manifests, [arm64, amd64, arm, said(arm64), said(amd64), said(arm)]);
  assert.deepEqual(descriptor, { mediaType: mediaTypes.ociIndex, digest: digestOf(bytes), size: bytes.length });
});

test("mergeIndexes() writes annotations of the index and of what points at it, in the media types asked for", () => {
  const annotations = [{ kind: "index", platform: null, key: "a", value: "1" }, { kind: "index-descriptor", platform: null, key: "b", value: "2" }, { kind: "manifest", platform: null, key: "c", value: "3" }] as const;
  const { bytes, descriptor } = mergeIndexes([index(amd64), index(arm64)], { platforms, annotations, flavour: "oci" });
  assert.deepEqual([(JSON.parse(bytes.toString("utf8")) as Index).annotations, descriptor.annotations], [{ a: "1" }, { b: "2" }]);
  assert.equal(mergeIndexes([index(amd64)], { platforms, annotations: [], flavour: "docker" }).descriptor.mediaType, mediaTypes.dockerIndex);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { mediaTypes } from "../../cache/oci/descriptor.js";
import { digestOf } from "../../cache/oci/digest.js";
import { assembleConfig, assembleIndex, assembleManifest, joinHistory } from "./assemble.js";
import { chainIds } from "./unpack.js";

const layer = (name: string, empty = false) => ({ diffId: digestOf(name), empty });
const a = digestOf("a");
const c = digestOf("c");

test("assembleConfig() writes Go's order of fields and leaves empty layers out", () => {
  const { bytes, config, descriptor } = assembleConfig(
    {
      rootfs: { type: "layers", diff_ids: [] },
      history: [
        { created_by: "base", created: "1970-01-01T00:00:00Z" },
        { empty_layer: true, created_by: "ENV A=b" },
        { created_by: "RUN true" },
        { created_by: "COPY x /" },
      ],
      os: "linux",
      config: {
        Shell: ["/bin/sh"],
        Labels: { z: "1", a: "2" },
        Healthcheck: { Retries: 3, Test: ["NONE"] },
        Env: ["A=b"],
        Entrypoint: null,
        Cmd: [],
        WorkingDir: "",
        User: "u",
      },
      architecture: "amd64",
      created: "1970-01-01T00:00:00Z",
    },
    [layer("a"), layer("b", true), layer("c")],
  );
  const expected =
    `{"created":"1970-01-01T00:00:00Z","architecture":"amd64","os":"linux","config":{"User":"u","Env":["A=b"],` +
    `"Labels":{"a":"2","z":"1"},"Healthcheck":{"Test":["NONE"],"Retries":3},"Shell":["/bin/sh"]},` +
    `"rootfs":{"type":"layers","diff_ids":["${a}","${c}"]},"history":[{"created":"1970-01-01T00:00:00Z","created_by":"base"},` +
    `{"created_by":"ENV A=b","empty_layer":true},{"created_by":"RUN true","empty_layer":true},{"created_by":"COPY x /"}]}`;
  assert.equal(bytes.toString(), expected);
  assert.deepEqual(config.rootfs.diff_ids, [a, c]);
  assert.deepEqual(descriptor, { mediaType: mediaTypes.ociConfig, digest: digestOf(expected), size: expected.length });
});

test("joinHistory() puts right what a base image has too little or too much of", () => {
  const named = (...names: string[]) => names.map((created_by) => ({ created_by }));
  assert.deepEqual(
    joinHistory(named("RUN"), [layer("x"), layer("y")]),
    [{ comment: "layer without history" }, { created_by: "RUN" }],
  );
  assert.deepEqual(
    joinHistory(named("ghost", "RUN"), [layer("x")]),
    [{ created_by: "ghost", empty_layer: true }, { created_by: "RUN" }],
  );
  assert.deepEqual(joinHistory([], []), []);
});

test("assembleManifest() speaks the flavour that is asked for", () => {
  const config = { mediaType: mediaTypes.ociConfig, digest: a, size: 2 };
  const types = (flavour: "oci" | "docker") => {
    const layers = [
      mediaTypes.dockerLayerGzip,
      mediaTypes.ociLayer,
      mediaTypes.ociLayerZstd,
    ].map((mediaType) => ({ mediaType, digest: c, size: 3 }));
    const { bytes } = assembleManifest(config, layers, { flavour });
    return (JSON.parse(bytes.toString()) as { layers: { mediaType: string }[] }).layers.map(({ mediaType }) => mediaType);
  };
  assert.deepEqual(types("oci"), [mediaTypes.ociLayerGzip, mediaTypes.ociLayer, mediaTypes.ociLayerZstd]);
  const docker = "application/vnd.docker.image.rootfs.diff.tar";
  assert.deepEqual(types("docker"), [mediaTypes.dockerLayerGzip, docker, `${docker}.zstd`]);
});

test("assembleManifest() and assembleIndex() keep annotations and nothing private", () => {
  const config = { mediaType: mediaTypes.ociConfig, digest: a, size: 2 };
  const blob = { mediaType: mediaTypes.ociLayerGzip, digest: c, size: 3, annotations: { "tbuild.source": "x" } };
  const manifest = assembleManifest(config, [blob], { annotations: { b: "2", a: "1" } });
  assert.ok(!manifest.bytes.includes("tbuild.source"));
  assert.ok(manifest.bytes.toString().endsWith(`"annotations": {\n    "a": "1",\n    "b": "2"\n  }\n}`));
  const index = assembleIndex([{ descriptor: manifest.descriptor, platform: { os: "linux", architecture: "arm64" } }]);
  assert.deepEqual(JSON.parse(index.bytes.toString()).manifests[0].platform, { os: "linux", architecture: "arm64" });
});

test("chainIds() follows the image specification", () => {
  assert.deepEqual(chainIds([a, c]), [a, digestOf(`${a} ${c}`)]);
  assert.deepEqual(chainIds([]), []);
});

test("assembleManifest() keeps what says how to read a layer as eStargz, where there is a place for it", () => {
  const config = { mediaType: mediaTypes.ociConfig, digest: a, size: 2 };
  const annotations = { "containerd.io/snapshot/stargz/toc.digest": a, "io.containers.estargz.uncompressed-size": "5" };
  const estargz = { mediaType: mediaTypes.ociLayerGzip, digest: c, size: 3, annotations: { ...annotations, "tbuild.source": "x/base" } };
  const annotationsIn = (flavour: "oci" | "docker") => {
    const { bytes } = assembleManifest(config, [estargz], { flavour });
    return (JSON.parse(bytes.toString()) as { layers: { annotations?: object }[] }).layers[0]!.annotations;
  };
  assert.deepEqual(annotationsIn("oci"), annotations);
  assert.equal(annotationsIn("docker"), undefined);
});

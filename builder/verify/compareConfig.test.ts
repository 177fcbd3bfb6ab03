import assert from "node:assert/strict";
import { test } from "node:test";
import { digestOf } from "../../cache/oci/digest.js";
import type { ImageConfig } from "../../cache/oci/descriptor.js";
import { compareConfigs } from "./compareConfig.js";

const base: ImageConfig = { architecture: "amd64", os: "linux", rootfs: { type: "layers", diff_ids: [] } };

test("compareConfigs() names fields by their path", () => {
  const image = { ...base, created: "2020-01-01T00:00:00Z", config: { Env: ["A=1", "B=2"], Labels: { "a.b": "1", c: "1" }, Cmd: ["sh"] } };
  const rebuilt = { ...base, created: "2020-01-01T00:00:00Z", config: { Env: ["A=1", "B=3"], Labels: { c: "1" }, User: "5", Cmd: ["sh"] } };
  assert.deepEqual(compareConfigs(image, rebuilt), [
    { field: "config.Env[1]", image: '"B=2"', rebuilt: '"B=3"' },
    { field: 'config.Labels["a.b"]', image: '"1"', rebuilt: null },
    { field: "config.User", image: null, rebuilt: '"5"' },
  ]);
});

test("compareConfigs() makes nothing of layers, of a cache inside, and of what is left out or empty", () => {
  const image = { ...base, rootfs: { type: "layers" as const, diff_ids: [digestOf("a")] }, config: { User: "", Volumes: {}, Entrypoint: null } };
  assert.deepEqual(compareConfigs(image, { ...base, "moby.buildkit.cache.v0": "x", config: {} }), []);
  assert.deepEqual(compareConfigs(image, base), []);
});

test("compareConfigs() calls a line of history that only one has by its text", () => {
  const history = [{ created: "2020-01-01T00:00:00Z", created_by: "RUN x" }];
  assert.deepEqual(compareConfigs({ ...base, history }, { ...base, history: [...history, { created_by: "RUN y" }] }), [{ field: "history[1]", image: null, rebuilt: '"RUN y"' }]);
});

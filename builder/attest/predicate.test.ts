import assert from "node:assert/strict";
import { test } from "node:test";
import { emptyCapture } from "./capture.js";
import { provenancePredicate, type ProvenanceRecord } from "./predicate.js";

const DIGEST = `sha256:${"a".repeat(64)}`;

const record: ProvenanceRecord = {
  capture: {
    ...emptyCapture,
    images: [{ reference: "docker.io/library/alpine:3", platform: { os: "linux", architecture: "arm64" }, digest: DIGEST, layout: false }],
    git: [{ url: "https://example.com/r.git#main", commit: "b".repeat(40) }],
    http: [{ url: "https://example.com/f", digest: DIGEST }],
    secrets: [{ id: "token", optional: true }],
    ssh: [{ id: "default" }],
    network: false,
  },
  frontend: "dockerfile.v0",
  args: { "build-arg:A": "1", target: "x", context: "https://example.com/r.git#main:dir", filename: "Dockerfile", "vcs:source": "https://u:p@example.com/r.git", "vcs:revision": "" },
  inputs: {},
  root: null,
  builderId: "https://example.com/builder",
  invocationId: "i1",
  startedAt: 0,
  finishedAt: 1000,
  reproducible: true,
  mode: "max",
  buildConfig: { llbDefinition: [], digestMapping: {} },
  source: null,
  layers: {},
  dockerfileVersion: "",
  environment: { region: "north" },
};

interface V1 {
  readonly buildDefinition: { readonly externalParameters: { readonly configSource: object; readonly request: object }; readonly internalParameters: object; readonly resolvedDependencies: readonly object[] };
  readonly runDetails: { readonly builder: object; readonly metadata: Readonly<Record<string, unknown>> };
}

test("provenancePredicate() tells in v1 what a build was made of", () => {
  const { buildDefinition, runDetails } = provenancePredicate(record, "v1") as V1;
  assert.deepEqual(buildDefinition.externalParameters, {
    configSource: { uri: "https://example.com/r.git#main:dir", digest: { sha1: "b".repeat(40) }, path: "Dockerfile" },
    request: { frontend: "dockerfile.v0", args: { "build-arg:A": "1", target: "x" }, secrets: [{ id: "token", optional: true }], ssh: [{ id: "default" }] },
  });
  assert.deepEqual(buildDefinition.resolvedDependencies, [
    { uri: "pkg:docker/alpine@3?platform=linux%2Farm64", digest: { sha256: "a".repeat(64) } },
    { uri: "https://example.com/r.git#main", digest: { sha1: "b".repeat(40) } },
    { uri: "https://example.com/f", digest: { sha256: "a".repeat(64) } },
  ]);
  assert.deepEqual((buildDefinition.internalParameters as { readonly region: string }).region, "north");
  assert.deepEqual(runDetails.builder, { id: "https://example.com/builder" });
  assert.deepEqual(runDetails.metadata, {
    invocationId: "i1",
    startedOn: "1970-01-01T00:00:00.000Z",
    finishedOn: "1970-01-01T00:00:01.000Z",
    buildkit_metadata: { vcs: { source: "https://xxxxx:xxxxx@example.com/r.git" } },
    buildkit_hermetic: true,
    buildkit_completeness: { request: true, resolvedDependencies: true },
    buildkit_reproducible: true,
  });
});

test("provenancePredicate() says the same in v0.2", () => {
  const told = provenancePredicate(record, "v0.2") as Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  assert.equal((told["materials"] as unknown as readonly object[]).length, 3);
  assert.deepEqual(told["invocation"]?.["configSource"], { uri: "https://example.com/r.git#main:dir", digest: { sha1: "b".repeat(40) }, entryPoint: "Dockerfile" });
  assert.deepEqual(told["metadata"]?.["completeness"], { parameters: true, environment: true, materials: true });
  assert.deepEqual(told["buildConfig"], { llbDefinition: [], digestMapping: {} });
});

test("provenancePredicate() leaves a user's values out with mode=min, and says so", () => {
  const { buildDefinition, runDetails } = provenancePredicate({ ...record, mode: "min", buildConfig: null }, "v1") as V1;
  assert.deepEqual(buildDefinition.externalParameters.request, { frontend: "dockerfile.v0", args: { target: "x" } });
  assert.deepEqual(runDetails.metadata["buildkit_completeness"], { request: false, resolvedDependencies: true });
});

test("provenancePredicate() knows that directories and the network leave something unknown", () => {
  const local = provenancePredicate({ ...record, capture: { ...record.capture, locals: ["context"] } }, "v1") as V1;
  assert.deepEqual(local.runDetails.metadata["buildkit_completeness"], { request: true, resolvedDependencies: false });
  const online = provenancePredicate({ ...record, capture: { ...record.capture, network: true } }, "v1") as V1;
  assert.deepEqual([local, online].map(({ runDetails }) => runDetails.metadata["buildkit_hermetic"]), [undefined, undefined]);
});

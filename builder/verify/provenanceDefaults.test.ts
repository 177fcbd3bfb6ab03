import assert from "node:assert/strict";
import { test } from "node:test";
import { downloadRules, pinnedImages, pinRule } from "./pinned.js";
import { readProvenance, withDefaults } from "./provenanceDefaults.js";

const args = { "build-arg:A": "1", "label:l": "2", target: "t", "context:x": "https://x.test/x.git", "context:own": "local:own", "shm-size": "64", "add-hosts": "h=1.2.3.4" };
const digest = { sha256: "0".repeat(64) };
const material = { uri: "pkg:docker/alpine@3.19?platform=linux%2Famd64", digest };
const predicates = {
  "https://slsa.dev/provenance/v1": { buildDefinition: { externalParameters: { configSource: { path: "D" }, request: { args } }, resolvedDependencies: [material] }, runDetails: {} },
  "https://slsa.dev/provenance/v0.2": { invocation: { configSource: { entryPoint: "D" }, parameters: { args } }, materials: [material], metadata: {} },
};

for (const [type, predicate] of Object.entries(predicates)) {
  test(`readProvenance() reads ${type}`, () => {
    assert.deepEqual(readProvenance(type, predicate), { args, dockerfile: "D", materials: [material], complete: true });
  });
}

test("readProvenance() takes what is no provenance for none, and what has no fields for empty", () => {
  assert.equal(readProvenance("https://spdx.dev/Document", {}), null);
  for (const odd of [null, 1, "x", [], { buildDefinition: { resolvedDependencies: [null, { uri: 1 }] } }]) {
    assert.deepEqual(readProvenance("https://slsa.dev/provenance/v1", odd), { args: {}, dockerfile: null, materials: [], complete: true });
  }
  const min = { runDetails: { metadata: { buildkit_completeness: { request: false } } } };
  assert.equal(readProvenance("https://slsa.dev/provenance/v1", min)?.complete, false);
});

test("withDefaults() lets what is given count, and says what it has taken", () => {
  const told = { args, dockerfile: null, materials: [], complete: true };
  const { request, notes } = withDefaults({ context: ".", buildArgs: { A: "9" }, extraHosts: [] }, told);
  assert.deepEqual(request, {
    context: ".", target: "t", shmSize: 64, extraHosts: [{ host: "h", ip: "1.2.3.4" }], buildArgs: { A: "9" }, labels: { l: "2" }, buildContexts: { x: "https://x.test/x.git" },
  });
  assert.deepEqual(notes, ["From its provenance: --label l=2 --build-context x=https://x.test/x.git --target t --shm-size 64 --add-host h=1.2.3.4"]);
  assert.match(withDefaults({ context: "." }, { ...told, args: {}, complete: false }).notes.join(), /leaves out build arguments/);
  const host = withDefaults({ context: "." }, { ...told, args: { "force-network-mode": "host" } });
  assert.deepEqual([host.request.network, host.notes.length], [undefined, 1]);
});

test("pinnedImages() names images by their tag, and passes over what has a digest in its name", () => {
  const others = ["pkg:docker/alpine@3.19?digest=sha256:00&platform=x", "pkg:docker/x?ref_type=blob", "https://x.test/a.tgz", "pkg:npm/x@1"].map((uri) => ({ uri, digest }));
  const own = { uri: "pkg:docker/reg.test%3A5000/team/app@v1?platform=linux%2Farm64", digest };
  assert.deepEqual(pinnedImages([material, ...others, own, { uri: "pkg:docker/nodigest@1" }]).map(({ name }) => name), ["docker.io/library/alpine:3.19", "reg.test:5000/team/app:v1"]);
});

test("pinRule() and downloadRules() make a name stand for what it stood for", () => {
  const [pinned] = pinnedImages([material]);
  assert.deepEqual(pinRule(pinned!).action, { kind: "convert", identifier: `docker-image://docker.io/library/alpine:3.19@sha256:${digest.sha256}`, attrs: {} });
  const rules = downloadRules([material, { uri: "https://x.test/a.tgz", digest }, { uri: "https://x.test/x.git#main", digest: { sha1: "1" } }]);
  assert.deepEqual(rules.map(({ selector, action }) => [selector.identifier, action.kind === "convert" ? action.attrs : null]), [["https://x.test/a.tgz", { "http.checksum": `sha256:${digest.sha256}` }]]);
});

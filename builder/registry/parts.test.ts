import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import { hasCode } from "../../cache/errors.js";
import { digestOf } from "../../cache/oci/digest.js";
import { parsePlatform } from "../../cache/oci/platform.js";
import type { RegistryConfig } from "../config.js";
import { parseChallenges } from "./challenge.js";
import { dockerCredentials } from "./credentials.js";
import { endpointsOf } from "./endpoint.js";
import { parseImageConfig, parseManifest } from "./manifest.js";
import { chooseManifest } from "./resolve.js";
import { retryAfterMs } from "./retry.js";

test("parseChallenges() reads several challenges, quoted commas and odd spacing", () => {
  assert.deepEqual(parseChallenges(`Bearer realm="https://a/token" , service="x, y",scope=pull, Basic realm="q\\"t"`), [
    { scheme: "bearer", params: { realm: "https://a/token", service: "x, y", scope: "pull" } },
    { scheme: "basic", params: { realm: `q"t` } },
  ]);
  assert.deepEqual(parseChallenges(""), []);
  assert.deepEqual(parseChallenges('"""'), []);
});

test("retryAfterMs() reads seconds and dates", () => {
  assert.equal(retryAfterMs("7"), 7000);
  assert.equal(retryAfterMs("Thu, 01 Jan 1970 00:00:10 GMT", 4000), 6000);
  assert.equal(retryAfterMs("soon"), null);
  assert.equal(retryAfterMs(undefined), null);
});

test("endpointsOf() puts mirrors first and knows Docker Hub's host", () => {
  const config = (part: Partial<RegistryConfig>): RegistryConfig => ({
    mirrors: [],
    http: undefined,
    insecure: false,
    ca: [],
    keypairs: [],
    tlsConfigDirs: [],
    ...part,
  });
  const configs = new Map([
    ["docker.io", config({ mirrors: ["harbor.example/proxy/hub/", "localhost:5000"] })],
    ["plain.example", config({ http: true })],
    ["either.example", config({ http: true, insecure: true })],
    ["127.0.0.1:1", config({ ca: ["x.pem"] })],
  ]);
  assert.deepEqual(endpointsOf("docker.io", configs), [
    { host: "harbor.example", prefix: "/v2/proxy/hub", scheme: "https", mirrorOf: "docker.io" },
    { host: "localhost:5000", prefix: "/v2", scheme: "fallback", mirrorOf: "docker.io" },
    { host: "registry-1.docker.io", prefix: "/v2", scheme: "https", mirrorOf: null },
  ]);
  const scheme = (host: string) => endpointsOf(host, configs)[0]!.scheme;
  assert.deepEqual(["plain.example", "either.example", "127.0.0.1:1", "127.0.0.1:2", "127.evil.example"].map(scheme), [
    "http",
    "fallback",
    "https",
    "fallback",
    "https",
  ]);
});

test("dockerCredentials() prefers a helper, falls back to auths, and knows Docker Hub's key", async (t) => {
  const dir = mkdtempSync(path.join(os.tmpdir(), "tbuild-docker-"));
  const before = process.env["PATH"];
  process.env["PATH"] = `${dir}:${before}`;
  t.after(() => {
    process.env["PATH"] = before;
    rmSync(dir, { recursive: true });
  });
  const helper = path.join(dir, "docker-credential-fake");
  writeFileSync(
    helper,
    `#!/bin/sh\nread key\n[ "$key" = helped.example ] || exit 1\necho '{"Username":"<token>","Secret":"refresh"}'\n`,
  );
  chmodSync(helper, 0o755);
  const base64 = (text: string) => Buffer.from(text).toString("base64");
  const auths = {
    "https://index.docker.io/v1/": { auth: base64("hub:p:w") },
    "https://other.example/v2/": { auth: base64("o:w") },
    "helped.example": { auth: base64("not:used") },
    "bearer.example": { registrytoken: "direct" },
  };
  writeFileSync(path.join(dir, "config.json"), JSON.stringify({ auths, credsStore: "fake" }));
  const store = dockerCredentials(dir);
  assert.deepEqual(await store.get("registry-1.docker.io"), { kind: "password", username: "hub", password: "p:w" });
  assert.deepEqual(await store.get("other.example"), { kind: "password", username: "o", password: "w" });
  assert.deepEqual(await store.get("helped.example"), { kind: "identity", token: "refresh" });
  assert.deepEqual(await store.get("bearer.example"), { kind: "bearer", token: "direct" });
  assert.equal(await store.get("none.example"), null);
  writeFileSync(path.join(dir, "config.json"), "{ not json, s3cret");
  await assert.rejects(store.get("x"), (error) => hasCode(error, "parse_failed") && !String(error).includes("s3cret"));
});

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

test("chooseManifest() takes the closest variant, and an unnamed one only when nothing fits", () => {
  const entry = (
    name: string,
    platform?: object,
  ) => ({ mediaType: name, digest: digestOf(name), size: 1, ...(platform ? { platform } : {}) });
  const arm = (variant: string) => entry(variant, { os: "linux", architecture: "arm", variant });
  const unknown = entry("attestation", { os: "unknown", architecture: "unknown" });
  const choose = (want: string, ...manifests: object[]) =>
    chooseManifest({ schemaVersion: 2, manifests } as never, parsePlatform(want))?.mediaType ?? null;
  assert.equal(choose("linux/arm/v7", arm("v5"), arm("v6"), unknown), "v6");
  assert.equal(choose("linux/arm/v6", arm("v7")), null);
  assert.equal(choose("linux/amd64", entry("nested"), unknown), "nested");
  assert.equal(choose("linux/amd64", entry("nested"), entry("exact", { os: "linux", architecture: "amd64" })), "exact");
  assert.equal(choose("linux/amd64", unknown), null);
});

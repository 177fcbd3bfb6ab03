import assert from "node:assert/strict";
import { test } from "node:test";
import type { RegistryConfig } from "../config.js";
import { endpointsOf } from "./endpoint.js";

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

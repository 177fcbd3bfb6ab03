import assert from "node:assert/strict";
import { test } from "node:test";
import { imagePurl } from "./purl.js";

const digest = `sha256:${"0".repeat(64)}`;

for (const [type, reference, platform, purl] of [
  ["docker", "alpine", null, "pkg:docker/alpine@latest"],
  ["docker", "docker.io/library/alpine:3", { os: "linux", architecture: "arm", variant: "v7" }, "pkg:docker/alpine@3?platform=linux%2Farm%2Fv7"],
  ["docker", "localhost:5000/a/b:c", null, "pkg:docker/localhost%3A5000/a/b@c"],
  ["oci", `example.com/x@${digest}`, null, `pkg:oci/example.com/x?digest=${digest}`],
] as const) {
  test(`imagePurl() writes ${purl.slice(0, 60)}`, () => assert.equal(imagePurl(type, reference, platform), purl));
}

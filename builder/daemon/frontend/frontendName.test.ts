import assert from "node:assert/strict";
import { test } from "node:test";
import { hasCode } from "../../../cache/errors.js";
import type { FrontendsConfig } from "../../daemonConfig.js";
import { checkAllowed, frontendImageName } from "./frontendName.js";

const all: FrontendsConfig = { dockerfile: "for-images", images: true, repositories: [] };
const gateway = (source: string, config = all) => frontendImageName("gateway.v0", { source }, config);

test("frontendImageName() takes Docker's images of the Dockerfile frontend for the built-in one", () => {
  assert.equal(frontendImageName("dockerfile.v0", {}, all), null);
  for (const name of ["docker/dockerfile", "docker.io/docker/dockerfile:1.7-labs", "localhost:5000/docker/dockerfile@sha256:x", "docker/dockerfile-upstream:master"]) {
    assert.equal(gateway(name), null, name);
  }
  for (const name of ["docker/dockerfiles", "mydocker/dockerfile", "example.com/dockerfile", "localhost:5000/frontend"]) assert.equal(gateway(name), name);
});

test("frontendImageName() runs Docker's images when the built-in one is not to replace them, or is turned off", () => {
  const alone: FrontendsConfig = { ...all, dockerfile: "alone" };
  const off: FrontendsConfig = { ...all, dockerfile: "off" };
  for (const config of [alone, off]) assert.equal(gateway("docker/dockerfile:1", config), "docker/dockerfile:1");
  assert.equal(frontendImageName("dockerfile.v0", {}, alone), null);
  assert.throws(() => frontendImageName("dockerfile.v0", {}, off), (error) => hasCode(error, "unsupported"));
});

test("frontendImageName() refuses a gateway without an image, and other frontends", () => {
  assert.throws(() => frontendImageName("gateway.v0", {}, all), (error) => hasCode(error, "invalid_argument"));
  assert.throws(() => frontendImageName("other.v0", { source: "a" }, all), (error) => hasCode(error, "unsupported"));
});

test("checkAllowed() compares repositories, whatever the tag", () => {
  const some = { ...all, repositories: ["team/frontend", "localhost:5000/other"] };
  checkAllowed("docker.io/team/frontend:2", some);
  checkAllowed("localhost:5000/other", some);
  assert.throws(() => checkAllowed("localhost:5000/frontend", some), (error) => hasCode(error, "permission_denied"));
  assert.throws(() => checkAllowed("team/frontend", { ...all, images: false }), (error) => hasCode(error, "permission_denied"));
  checkAllowed("anything/at/all", all);
});

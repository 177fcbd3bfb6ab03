import assert from "node:assert/strict";
import { test } from "node:test";
import { parsePlatform } from "../../cache/oci/platform.js";
import type { NamedContext } from "../options.js";
import { contextFinder } from "./contextNamed.js";

const amd64 = parsePlatform("linux/amd64");
const arm64 = parsePlatform("linux/arm64");

function finder(...names: readonly string[]) {
  const contexts = new Map(names.map((name): [string, NamedContext] => [name, { kind: "image", reference: name }]));
  const find = contextFinder(contexts);
  return (name: string, platform = amd64) => {
    const context = find(name, platform)?.context;
    return context?.kind === "image" ? context.reference : null;
  };
}

test("contextFinder() takes all ways to write an image's name for one", () => {
  const find = finder("alpine", "docker.io/library/busybox:latest", "localhost:5000/a:1");
  for (const name of ["alpine", "alpine:latest", "library/alpine", "docker.io/library/alpine:latest"]) assert.equal(find(name), "alpine", name);
  assert.equal(find("busybox"), "docker.io/library/busybox:latest");
  assert.equal(find("localhost:5000/a:1"), "localhost:5000/a:1");
  for (const name of ["alpine:3", "localhost:5000/a", "other", "Not A Name"]) assert.equal(find(name), null, name);
});

test("contextFinder() prefers the context for the platform, however that is written", () => {
  const find = finder("base", "base::aarch64", "only::linux/arm64");
  assert.equal(find("base", arm64), "base::aarch64");
  assert.equal(find("base", amd64), "base");
  assert.equal(find("only", arm64), "only::linux/arm64");
  assert.equal(find("only", amd64), null);
});

test("contextFinder() leaves scratch and the build context alone", () => {
  const find = finder("scratch", "context");
  assert.equal(find("scratch"), null);
  assert.equal(find("context"), null);
});

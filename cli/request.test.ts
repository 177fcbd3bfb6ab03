import assert from "node:assert/strict";
import test from "node:test";
import { hasCode } from "../cache/errors.js";
import type { BuildArgs } from "./args/build.js";
import { parseArgs } from "./args/parse.js";
import { buildRequest, type LoadTarget } from "./request.js";

async function request(line: string, loadInto: LoadTarget = "store") {
  const args = await parseArgs([...line.split(" "), "."], 80);
  assert.equal(args.command, "build");
  return buildRequest(args as BuildArgs, loadInto);
}

test("buildRequest() puts annotations on every output that is an image, and makes one when there is none", async () => {
  const annotated = { "annotation-manifest.a": "b", "annotation-index.c": "d" };
  assert.deepEqual((await request("--annotation a=b --annotation index:c=d")).outputs, [{ type: "image", attrs: annotated }]);
  const { outputs } = await request("--annotation a=b --annotation index:c=d -o out -o type=oci,dest=x.tar");
  assert.deepEqual(outputs, [{ type: "local", attrs: { dest: "out" } }, { type: "oci", attrs: { dest: "x.tar", ...annotated } }]);
  await assert.rejects(request("--annotation a=b -o out"), (error) => hasCode(error, "usage"));
});

test("buildRequest() reads platforms as a list", async () => {
  const { platforms } = await request("--platform linux/arm64,linux/arm/v6 --platform amd64");
  assert.deepEqual(platforms, [
    { os: "linux", architecture: "arm64" }, { os: "linux", architecture: "arm", variant: "v6" }, { os: "linux", architecture: "amd64" },
  ]);
});

test("buildRequest() loads into the Docker engine where there is one, and always into the image store", async () => {
  const image = { type: "image", attrs: {} };
  const oci = { type: "oci", attrs: { dest: "x.tar" } };
  assert.deepEqual((await request("--load")).outputs, [image]);
  assert.deepEqual((await request("--load", "engine")).outputs, [image, { type: "docker", attrs: {} }]);
  assert.deepEqual((await request("--load -o type=oci,dest=x.tar")).outputs, [oci, image]);
  assert.deepEqual((await request("--load -o type=image -o type=oci,dest=x.tar", "engine")).outputs, [image, oci, { type: "docker", attrs: {} }]);
});

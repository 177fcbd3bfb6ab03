import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
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

test("buildRequest() reads the source policy that a flag or a variable names", async () => {
  const dir = mkdtempSync(path.join(tmpdir(), "tbuild-policy-"));
  const before = process.env["EXPERIMENTAL_BUILDKIT_SOURCE_POLICY"];
  const file = (action: string) => {
    const name = path.join(dir, `${action}.json`);
    writeFileSync(name, JSON.stringify({ rules: [{ action, selector: { identifier: "*" } }] }));
    return name;
  };
  const kinds = async (line: string) => (await request(line)).sourcePolicies?.flatMap(({ rules }) => rules.map(({ action }) => action.kind));
  try {
    delete process.env["EXPERIMENTAL_BUILDKIT_SOURCE_POLICY"];
    assert.deepEqual(await kinds("--pull"), []);
    process.env["EXPERIMENTAL_BUILDKIT_SOURCE_POLICY"] = file("ALLOW");
    assert.deepEqual(await kinds("--pull"), ["allow"]);
    assert.deepEqual(await kinds(`--source-policy-file ${file("DENY")}`), ["deny"]);
    await assert.rejects(request(`--source-policy-file ${dir}/none`), (error) => hasCode(error, "not_found"));
  } finally {
    if (before === undefined) delete process.env["EXPERIMENTAL_BUILDKIT_SOURCE_POLICY"];
    else process.env["EXPERIMENTAL_BUILDKIT_SOURCE_POLICY"] = before;
    rmSync(dir, { recursive: true, force: true });
  }
});

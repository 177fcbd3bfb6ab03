import assert from "node:assert/strict";
import { test } from "node:test";
import { isTbuildError } from "../cache/errors.js";
import { fakeImages } from "../fixtures/images.js";
import { dockerfileToDefinition } from "../frontend/mod.js";
import { defaultFrontendOptions } from "../frontend/options.js";
import { loadGraph, topologicalOrder } from "../solver/graph.js";
import { checkSecrets } from "./checkSecrets.js";
import type { SecretSpec } from "./request.js";
import { createAgents } from "./secrets/createAgents.js";
import { createSecrets } from "./secrets/createSecrets.js";

async function mistakes(runs: readonly string[], secrets: readonly SecretSpec[] = []): Promise<readonly string[]> {
  const platform = { os: "linux", architecture: "amd64" };
  const dockerfile = ["FROM busybox", ...runs.map((mount) => `RUN --mount=${mount} true`)].join("\n");
  const { definition } = await dockerfileToDefinition(dockerfile, { ...defaultFrontendOptions, platform, buildPlatform: platform, resolveImage: fakeImages });
  try {
    checkSecrets(topologicalOrder(loadGraph(definition)), { secrets: createSecrets(secrets), agents: createAgents([]) });
    return [];
  } catch (error) {
    assert.ok(isTbuildError(error));
    return [error, ...error.others].map(({ at, message }) => `${at?.start.line}: ${message}`);
  }
}

test("checkSecrets() names every required secret and agent that the build was not given, at its line", async () => {
  assert.deepEqual(await mistakes(["type=secret,id=a,required", "type=secret,id=b,env=B,required", "type=ssh,required", "type=secret,id=c"]), [
    '2: Cannot mount the secret "a": the build was given none',
    '3: Cannot mount the secret "b": the build was given none',
    '4: Cannot mount the ssh agent "default": the build was given none',
  ]);
});

test("checkSecrets() is content with what is there, and refuses what cannot be read even if it is optional", async () => {
  assert.deepEqual(await mistakes(["type=secret,id=a,required"], [{ id: "a", from: { kind: "env", name: "PATH" } }]), []);
  assert.deepEqual(await mistakes(["type=secret,id=a,required"], [{ id: "a", from: { kind: "file", path: "/no/such" } }]), [
    '2: Cannot read the secret "a" from "/no/such": no such file',
  ]);
});

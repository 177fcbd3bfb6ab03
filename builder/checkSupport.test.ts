import assert from "node:assert/strict";
import { test } from "node:test";
import { hasCode, isTbuildError } from "../cache/errors.js";
import { fakeImages } from "../fixtures/images.js";
import { dockerfileToDefinition } from "../frontend/mod.js";
import { loadGraph } from "../solver/graph.js";
import { checkSupport } from "./checkSupport.js";
import { defaultFrontendOptions } from "../frontend/options.js";

async function check(dockerfile: string): Promise<void> {
  const platform = { os: "linux", architecture: "amd64" };
  const { definition } = await dockerfileToDefinition(dockerfile, {
    ...defaultFrontendOptions,
    platform,
    buildPlatform: platform,
    resolveImage: fakeImages,
  });
  checkSupport(loadGraph(definition));
}

for (const mount of ["type=cache,target=/c", "type=secret,id=s,required", "type=ssh,required", "type=bind,target=/x", "type=bind,from=a,target=/x,rw"]) {
  test(`checkSupport() refuses --mount=${mount} at its line`, async () => {
    await assert.rejects(check(`FROM busybox AS a\nFROM busybox\nRUN --mount=${mount} true\n`), (error) => {
      assert.ok(hasCode(error, "unsupported") && isTbuildError(error));
      assert.equal(error.at?.start.line, 3);
      return true;
    });
  });
}

for (const mount of ["type=tmpfs,target=/t", "type=secret,id=s", "type=secret,id=s,env=S", "type=ssh", "type=bind,from=a,target=/x"]) {
  test(`checkSupport() lets --mount=${mount} pass`, async () => {
    await check(`FROM busybox AS a\nFROM busybox\nRUN --mount=${mount} true\n`);
  });
}

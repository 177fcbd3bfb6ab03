import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { hasCode } from "../../../cache/errors.js";
import { parseDigest } from "../../../cache/oci/digest.js";
import { parsePlatform } from "../../../cache/oci/platform.js";
import { withStore } from "../../../cache/testing/store.js";
import { clientBlobs } from "../../../fixtures/clientBlobs.js";
import { BASE, testBuilder } from "../../../fixtures/testBuilder.js";
import { withSession } from "../../../fixtures/testSession.js";
import type { StepOpts } from "../../../solver/opRunner.js";
import { openTree } from "../../ops/trees.js";
import { createLayoutSource, resolveLayout } from "../../source/ociLayout.js";
import { clientLayouts } from "./clientLayouts.js";

const quiet = () => {};
const opts: StepOpts = { signal: new AbortController().signal, report: { log: quiet, warn: quiet, status: quiet, statusDone: quiet } };
const platform = parsePlatform("linux/amd64");

test("an image of a client's layout comes from the session that is named, and is not left there", async () => {
  await using builder = await testBuilder();
  const dest = path.join(builder.dir, "layout");
  const context = builder.context({ Dockerfile: `FROM ${BASE}\nCOPY f /f\n`, f: "from the client" });
  const { result } = await builder.run({ context, outputs: [{ type: "oci", attrs: { dest, tar: "false" } }] });
  const digest = parseDigest(result.metadata["containerimage.digest"]!);
  const dir = path.join(dest, "blobs", "sha256");
  const { offers, stores } = clientBlobs(readdirSync(dir).map((name) => readFileSync(path.join(dir, name))));
  await withStore((store) => withSession(offers, async (session) => {
    const asked: string[] = [];
    const layouts = clientLayouts(async (id) => {
      asked.push(id);
      return session;
    });
    const layout = { kind: "oci-layout", path: "some", tag: null, digest } as const;
    const image = await resolveLayout({ store, layouts }, layout, platform, opts);
    assert.equal(image.digest, digest);
    const source = createLayoutSource({ store, layouts });
    const request = { identifier: `oci-layout://any/name@${digest}`, attrs: { "oci.store": "some", "oci.session": "another" }, platform };
    const resolved = await source.resolve(request, opts);
    assert.equal(await resolved.declare?.(), null);
    await using tree = await openTree(store, await resolved.snapshot(opts));
    assert.equal(readFileSync(path.join(tree.path, "f"), "utf8"), "from the client");
    assert.deepEqual(asked, ["", "another"]);
    const unnamed = source.resolve({ ...request, attrs: {} }, opts);
    await assert.rejects(unnamed, (error) => hasCode(error, "invalid_argument"));
  }));
  assert.deepEqual([...stores], ["oci:some"]);
});

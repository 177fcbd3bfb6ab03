import assert from "node:assert/strict";
import { test } from "node:test";
import { hasCode, isTbuildError } from "../../cache/errors.js";
import { digestOf } from "../../cache/oci/digest.js";
import { parsePlatform } from "../../cache/oci/platform.js";
import { fakeImages } from "../../fixtures/images.js";
import { decodeOp } from "../../solver/llb/codec.js";
import { source } from "../../solver/llb/state.js";
import { type FrontendOptions, type ImageResolver, dockerfileToDefinition } from "../mod.js";
import { type LayoutResolver, type NamedContext, defaultFrontendOptions } from "../options.js";

function optionsWith(resolveImage: ImageResolver, changes: Partial<FrontendOptions> = {}): FrontendOptions {
  const platform = parsePlatform("linux/amd64");
  return {
    ...defaultFrontendOptions,
    platform,
    buildPlatform: platform,
    resolveImage,
    ...changes,
  };
}

/** Counts what is asked for, and how many questions are open at a time. */
function countingImages() {
  const asked: string[] = [];
  const open = { now: 0, most: 0 };
  const resolve: ImageResolver = async (reference, platform) => {
    asked.push(`${reference} ${platform.architecture}`);
    open.most = Math.max(open.most, ++open.now);
    await new Promise((done) => setImmediate(done));
    open.now--;
    return fakeImages(reference, platform);
  };
  return { asked, open, resolve };
}

test("dockerfileToDefinition() asks for each image once, for all at the same time, for none of an unused stage", async () => {
  const { asked, open, resolve } = countingImages();
  const text = [
    "FROM missing:1 AS unused",
    "FROM busybox AS a",
    "FROM busybox AS b",
    "COPY --from=a x y",
    "FROM app:1",
    "COPY --from=b x y",
    "COPY --from=tools:1 x y",
    "RUN --mount=from=tools:1,target=/t true",
  ].join("\n");
  await dockerfileToDefinition(text, optionsWith(resolve));
  const expected = ["app:1", "busybox:latest", "tools:1"].map((name) => `docker.io/library/${name} amd64`);
  assert.deepEqual([...asked].sort(), expected);
  assert.equal(open.most, 3);
});

test("dockerfileToDefinition() gives the same bytes twice", async () => {
  const text = "FROM app:1 AS a\nARG X=1\nRUN make\nFROM busybox\nCOPY b a ./\nCOPY --from=a /x /y\nCOPY <<EOF /z\nhi\nEOF\n";
  const [first, second] = await Promise.all([1, 2].map(() => dockerfileToDefinition(text, optionsWith(fakeImages))));
  assert.deepEqual(first, second);
});

test("dockerfileToDefinition() locates every step except the build context", async () => {
  const text = "FROM busybox\nWORKDIR /w\nCOPY a b\nADD https://example.com/x /x\nRUN <<EOF\n#!/bin/sh\nEOF\n";
  const { definition } = await dockerfileToDefinition(text, optionsWith(fakeImages));
  const unlocated = definition.def.slice(0, -1).filter((bytes) => !definition.source.locations.has(digestOf(bytes)));
  const bodies = unlocated.map((bytes) => decodeOp(bytes).body);
  assert.deepEqual(bodies.map((body) => body.kind === "source" && body.identifier), ["local://context"]);
});

test("dockerfileToDefinition() builds the same steps whatever the epoch", async () => {
  const text = "FROM busybox\nWORKDIR /w\nCOPY a b\nRUN c\n";
  const early = await dockerfileToDefinition(text, optionsWith(fakeImages, { epoch: 1 }));
  const late = await dockerfileToDefinition(text, optionsWith(fakeImages, { epoch: 2 }));
  assert.deepEqual(early.definition, late.definition);
  assert.notEqual(early.image.created, late.image.created);
});

test("dockerfileToDefinition() does not hide an error that is not the user's", async () => {
  const broken: ImageResolver = () => Promise.reject(new TypeError("bug"));
  await assert.rejects(dockerfileToDefinition("FROM busybox", optionsWith(broken)), TypeError);
});

test("dockerfileToDefinition() attaches the errors of all images", async () => {
  const text = "FROM gone:1 AS a\nFROM gone:2\nCOPY --from=a x y\n";
  await assert.rejects(dockerfileToDefinition(text, optionsWith(fakeImages)), (error) => {
    assert.ok(isTbuildError(error) && hasCode(error, "not_found"));
    assert.deepEqual([error, ...error.others].map(({ at }) => at?.start.line).sort(), [1, 2]);
    return true;
  });
});

test("dockerfileToDefinition() takes thousands of steps", async () => {
  const text = `FROM busybox\nCOPY a a\n${"RUN x\n".repeat(6_000)}`;
  const { definition } = await dockerfileToDefinition(text, optionsWith(fakeImages));
  assert.equal(definition.def.length, 6_004);
});

test("dockerfileToDefinition() says who asks for an image or a layout", async () => {
  const asked: string[] = [];
  const resolve: ImageResolver = (reference, platform, by) => {
    asked.push(`${by} ${reference}`);
    return fakeImages(reference, platform);
  };
  const contexts = new Map<string, NamedContext>([
    ["base", { kind: "image", reference: "app:1" }],
    ["tree", { kind: "oci-layout", path: "/layout", tag: null, digest: null }],
  ]);
  const resolveLayout: LayoutResolver = ({ path }, platform, by) => resolve("tools:1", platform, `${by} ${path}`);
  const text = "FROM busybox\nCOPY --from=base a b\nCOPY --from=tree a b\n";
  await dockerfileToDefinition(text, optionsWith(resolve, { contexts, resolveLayout }));
  const library = "docker.io/library";
  assert.deepEqual(asked.sort(), [`context base ${library}/app:1`, "context tree /layout tools:1", `internal ${library}/busybox:latest`]);
});

test("dockerfileToDefinition() copies from, and builds on, what other builds came to", async () => {
  const main = source("git://host/repo.git");
  const other = source("https://host/file");
  const config = { ...(await fakeImages("app:1", parsePlatform("linux/amd64"))).config, author: "another" };
  const contexts = new Map<string, NamedContext>([["base", { kind: "tree", tree: other, config }]]);
  const text = "FROM base\nCOPY a /a\nCOPY --from=base b /b\n";
  const { definition, image } = await dockerfileToDefinition(text, optionsWith(fakeImages, { context: main, contexts }));
  const sources = definition.def.slice(0, -1).flatMap((bytes) => {
    const { body } = decodeOp(bytes);
    return body.kind === "source" ? [body.identifier] : [];
  });
  assert.deepEqual(sources.sort(), ["git://host/repo.git", "https://host/file"]);
  assert.equal(image.author, "another");
});

import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { isTbuildError } from "../cache/errors.js";
import { BASE, testBuilder, type TestBuilder } from "../fixtures/testBuilder.js";
import { readNamedContexts } from "./namedContexts.js";

let builder: TestBuilder;
before(async () => void (builder = await testBuilder()));
after(() => builder[Symbol.asyncDispose]());

async function printed(lines: readonly string[], buildContexts: Readonly<Record<string, string>>): Promise<string> {
  const context = builder.context({ Dockerfile: lines.join("\n") });
  return (await builder.run({ context, buildContexts })).output;
}

for (const [value, expected] of [
  ["docker-image://alpine:3", { kind: "image", reference: "alpine:3" }],
  ["docker-image://scratch", { kind: "scratch" }],
  ["https://host/file.tar", { kind: "http", url: "https://host/file.tar" }],
  ["https://host/a.git#v1:dir", { kind: "git", url: "https://host/a.git#v1:dir" }],
  ["git@host:a/b.git", { kind: "git", url: "git@host:a/b.git" }],
] as const) {
  test(`readNamedContexts() reads ${value}`, () => assert.deepEqual(readNamedContexts({ x: value }).contexts.get("x"), expected));
}

for (const [value, message] of [
  ["/no/such", 'Cannot use "/no/such" as the build context "x": no such directory'],
  ["/etc/passwd", 'Cannot use "/etc/passwd" as the build context "x": not a directory'],
  ["oci-layout:///no/such:1", 'Cannot use "/no/such:1" as the build context "x": no such directory'],
  ["target:y", 'Cannot use "target:y" as the build context "x": results of other builds are not supported yet'],
] as const) {
  test(`readNamedContexts() refuses ${value}`, () => {
    assert.throws(() => readNamedContexts({ x: value }), (error) => isTbuildError(error) && error.message === message);
  });
}

test("a named directory is copied from, with its own ignore file, mounted, and built on", async () => {
  const named = builder.context({ "a/file": "named\n", "b.log": "", ".dockerignore": "*.log\n" });
  const lines = [`FROM ${BASE}`, "COPY --from=src . /all", "RUN --mount=from=src,source=a,target=/m cat /m/file; ls -A /all"];
  assert.equal(await printed(lines, { src: named }), "named\n.dockerignore\na\n");
  assert.equal(await printed(["FROM src AS tree", `FROM ${BASE}`, "COPY --from=tree /a/file /f", "RUN cat /f # from"], { src: named }), "named\n");
});

test("a named context takes the place of an image and of a stage", async () => {
  const other = `docker-image://${BASE}`;
  assert.equal(await printed(["FROM not-there:1", "RUN echo image"], { "not-there:1": other }), "image\n");
  const replaced = builder.context({ f: "replaced\n" });
  const lines = ["FROM nobody/has:this AS stage", `FROM ${BASE}`, "COPY --from=stage /f /f", "RUN cat /f"];
  assert.equal(await printed(lines, { stage: replaced }), "replaced\n");
});

test("a file that a named directory lacks or ignores is named before anything runs", async () => {
  const named = builder.context({ "app/main.ts": "", "x.log": "", ".dockerignore": "*.log\n" });
  const failed = printed([`FROM ${BASE}`, "RUN echo ran", "COPY --from=src app/mian.ts x.log /"], { src: named });
  await assert.rejects(failed, (error) => {
    assert.ok(isTbuildError(error));
    const all = [error, ...error.others].map(({ message, hint }) => `${message} ${hint}`).join("\n");
    assert.match(all, /mian\.ts/);
    assert.match(all, /app\/main\.ts/);
    assert.match(all, /\.dockerignore:1/);
    return true;
  });
});

test("an OCI layout is built on and copied from, by tag, digest and as the only image", async () => {
  const layout = path.join(builder.dir, "layout");
  const made = builder.context({ Dockerfile: `FROM ${BASE}\nCOPY f /f\nENV FROM_LAYOUT=yes\n`, f: "layout\n" });
  await builder.run({ context: made, outputs: [{ type: "oci", attrs: { dest: layout, tar: "false", name: "localhost/made:v1" } }] });
  for (const value of [`oci-layout://${layout}:v1`, `oci-layout://${layout}`]) {
    assert.equal(await printed(["FROM base", `RUN echo $FROM_LAYOUT; cat /f # ${value}`], { base: value }), "yes\nlayout\n");
  }
  assert.equal(await printed([`FROM ${BASE}`, "COPY --from=lay /f /g", "RUN cat /g"], { lay: `oci-layout://${layout}:v1` }), "layout\n");
  await assert.rejects(printed(["FROM base"], { base: `oci-layout://${layout}:v2` }), /Cannot find "v2" in the OCI layout/);
});

test("an OCI layout that lies is refused", async () => {
  const layout = path.join(builder.dir, "lying");
  const digest = `sha256:${"a".repeat(64)}`;
  mkdirSync(path.join(layout, "blobs/sha256"), { recursive: true });
  const manifests = [{ mediaType: "application/vnd.oci.image.manifest.v1+json", digest, size: 2 }];
  writeFileSync(path.join(layout, "index.json"), JSON.stringify({ schemaVersion: 2, manifests }));
  const build = () => printed(["FROM base", "COPY --from=base /f /f"], { base: `oci-layout://${layout}` });
  await assert.rejects(build(), /Cannot read blob .* it is not there/);
  writeFileSync(path.join(layout, "blobs", digest.replace(":", "/")), "{}");
  await assert.rejects(build(), /Cannot use blob .*: its digest is/);
});

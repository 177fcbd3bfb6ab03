import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, test } from "node:test";
import { parsePlatform } from "../../cache/oci/platform.js";
import { builtFile, failedBuild, lockIn, lockModes, pushText } from "../../fixtures/locks.js";
import { makeImage, makeIndex, registryMissing, startFaultyServer, startRegistry } from "../../fixtures/registry.js";
import { BASE, testBuilder } from "../../fixtures/testBuilder.js";

const box = await testBuilder();
after(() => box[Symbol.asyncDispose]());
const skip = registryMissing();
const { record, require } = lockModes;

test("a locked build is that of its lock, wherever the tag has gone", { skip }, async () => {
  await using registry = await startRegistry();
  pushText(box, registry, "base:1", "old");
  const context = box.context({ Dockerfile: `FROM ${registry.host}/base:1\n` });
  assert.equal(await builtFile(box, { context, ...record }, "x"), "old");
  const first = lockIn(context);
  assert.deepEqual(Object.keys(first.images ?? {}), [`${registry.host}/base:1`]);
  const before = (await box.run({ context, ...require })).result.imageId;
  pushText(box, registry, "base:1", "new");
  assert.equal(await builtFile(box, { context }, "x"), "new", "without an option the file is not looked at");
  assert.equal(await builtFile(box, { context, ...require, pull: true }, "x"), "old");
  assert.equal(await builtFile(box, { context, ...record }, "x"), "old", "what is in the file stays");
  assert.equal((await box.run({ context, ...require })).result.imageId, before);
  assert.deepEqual(lockIn(context), first);
  const dest = path.join(box.dir, "told");
  await box.run({ context, ...require, attest: { provenance: {} }, outputs: [{ type: "local", attrs: { dest } }] });
  const [digest = ""] = Object.values(first.images ?? {});
  assert.ok(readFileSync(path.join(dest, "provenance.json"), "utf8").includes(digest.replace("sha256:", "")), "provenance has the digest");
});

test("a lock has what every platform and stage reads: bases, COPY --from and mounts", { skip }, async () => {
  await using registry = await startRegistry();
  const push = (text: string) => {
    const layout = path.join(box.dir, `index-${text}`);
    for (const architecture of ["amd64", "arm64"]) makeImage(layout, architecture, [{ x: `${text} ${architecture}` }], { platform: { os: "linux", architecture } });
    makeIndex(layout, "all", ["amd64", "arm64"].map((architecture) => ({ tag: architecture, platform: { os: "linux", architecture } })));
    registry.push(`oci:${layout}:all`, "base:1");
  };
  push("old");
  for (const name of ["tools:1", "files:2", "other:3"]) pushText(box, registry, name, name);
  const archive = path.join(box.dir, "busybox.tar");
  await box.run({ context: box.context({ Dockerfile: `FROM ${BASE}\n` }), outputs: [{ type: "oci", attrs: { dest: archive } }] });
  registry.push(`oci-archive:${archive}`, "busybox:1");
  const of = (name: string) => `${registry.host}/${name}`;
  const context = box.context({
    Dockerfile: [
      `FROM --platform=linux/amd64 ${of("busybox:1")} AS made`,
      `RUN --mount=type=bind,from=${of("tools:1")},target=/mnt cp /mnt/x /made`,
      `ARG FILES=files`,
      `FROM ${of("other:3")} AS unused`,
      `FROM ${of("base:1")}`,
      "COPY --from=made /made /",
      `COPY --from=${of("files:2")} /x /files`,
      "COPY --from=named /x /named",
    ].join("\n"),
  });
  pushText(box, registry, "named:4", "named:4");
  const request = { context, buildContexts: { named: `docker-image://${of("named:4")}` }, platforms: ["linux/amd64", "linux/arm64"].map((name) => parsePlatform(name)) };
  const files = async (more: typeof record | typeof require) =>
    Promise.all(["linux_arm64/x", "linux_amd64/x", "linux_arm64/made", "linux_amd64/files", "linux_amd64/named"].map((file) => builtFile(box, { ...request, ...more }, file)));
  const recorded = await files(record);
  assert.deepEqual(recorded, ["old arm64", "old amd64", "tools:1", "files:2", "named:4"]);
  assert.deepEqual(Object.keys(lockIn(context).images ?? {}), ["base:1", "busybox:1", "files:2", "named:4", "tools:1"].map(of));
  push("new");
  for (const name of ["tools:1", "files:2", "named:4"]) pushText(box, registry, name, "new");
  assert.deepEqual(await files(require), recorded);
});

test("a source that the lock does not know stops a locked build at its line, before anything runs", { skip }, async () => {
  await using registry = await startRegistry();
  for (const name of ["base:1", "more:1"]) pushText(box, registry, name, name);
  const dockerfile = `FROM ${registry.host}/base:1\n`;
  const context = box.context({ Dockerfile: dockerfile });
  const none = await failedBuild(box, { context, ...require });
  assert.match(`${none.message} ${none.hint}`, /^Cannot read "tbuild.lock": no such file Run once with --lock/);
  await box.run({ context, ...record });
  writeFileSync(path.join(context, "Dockerfile"), `${dockerfile}RUN exit 7\nCOPY --from=${registry.host}/more:1 /x /y\n`);
  const image = await failedBuild(box, { context, ...require });
  assert.deepEqual([image.code, image.at?.start.line, image.message], ["not_found", 3, `Cannot use "${registry.host}/more:1": tbuild.lock has no entry for it`]);
  writeFileSync(path.join(context, "Dockerfile"), `${dockerfile}RUN exit 7\nADD https://files.test/x /\nADD https://host.test/a.git#v1 /a\n`);
  const added = await failedBuild(box, { context, ...require });
  const told = [added, ...added.others].map(({ at, message }) => [at?.start.line, /^Cannot use "([^"]*)": tbuild.lock has no entry for it$/.exec(message)?.[1]]);
  assert.deepEqual(told, [[3, "https://files.test/x"], [4, "https://host.test/a.git#v1"]]);
});

test("what says by itself which bytes it is needs no entry", { skip }, async () => {
  await using registry = await startRegistry();
  await using server = await startFaultyServer((_, response) => void response.end("text"));
  pushText(box, registry, "base:1", "old");
  const context = box.context({ Dockerfile: `FROM ${registry.host}/base:1\n`, file: "here" });
  await box.run({ context, ...record });
  const digest = lockIn(context).images![`${registry.host}/base:1`]!;
  const sum = "sha256:982d9e3eb996f559e633f4d194def3761d909f5a3b647d1a851fead67c32c9d1";
  const pinned = box.context({ Dockerfile: `FROM ${registry.host}/base@${digest}\nCOPY file /\nADD --checksum=${sum} http://${server.host}/f /\n`, file: "here" });
  await box.run({ context: pinned, ...record });
  assert.deepEqual(lockIn(pinned), { version: 1 });
  assert.equal(await builtFile(box, { context: pinned, ...require }, "x"), "old");
});

test("a locked build whose layers are here asks no registry", { skip }, async () => {
  const context = await (async () => {
    await using registry = await startRegistry();
    pushText(box, registry, "base:1", "here");
    const made = box.context({ Dockerfile: `FROM ${registry.host}/base:1\n` });
    await builtFile(box, { context: made, ...record }, "x");
    return made;
  })();
  assert.equal(await builtFile(box, { context, ...require }, "x"), "here");
});

test("a digest that the registry has no more is an error that names it", { skip }, async () => {
  await using registry = await startRegistry();
  pushText(box, registry, "base:1", "old");
  const gone = `sha256:${"0".repeat(64)}`;
  const context = box.context({ Dockerfile: `# a\nFROM ${registry.host}/base:1\n`, "tbuild.lock": JSON.stringify({ version: 1, images: { [`${registry.host}/base:1`]: gone } }) });
  const error = await failedBuild(box, { context, ...require });
  assert.deepEqual([error.code, error.at?.start.line], ["not_found", 2]);
  assert.ok(error.message.includes(gone), error.message);
});

test("a build that fails writes no lock, and one of an image that only this machine has cannot", { skip }, async () => {
  await using registry = await startRegistry();
  pushText(box, registry, "base:1", "old");
  const context = box.context({ Dockerfile: `FROM ${registry.host}/base:1\nRUN exit 7\n` });
  await failedBuild(box, { context, ...record });
  assert.deepEqual(readdirSync(context), ["Dockerfile"]);
  const local = await failedBuild(box, { context: box.context({ Dockerfile: `\nFROM ${BASE}\n` }), ...record });
  assert.deepEqual([local.code, local.at?.start.line], ["unsupported", 2]);
  assert.match(local.message, /the image store has it, and no registry does/);
});

test("a source policy decides first, and the lock has what it makes of a name", { skip }, async () => {
  await using registry = await startRegistry();
  pushText(box, registry, "mirror:1", "mirrored");
  const context = box.context({ Dockerfile: "FROM example.test/base:1\n" });
  const selector = { identifier: "docker-image://example.test/*", match: "wildcard", constraints: [] } as const;
  const sourcePolicies = [{ rules: [{ selector, action: { kind: "convert", identifier: `docker-image://${registry.host}/mirror:1`, attrs: {} } as const }] }];
  await box.run({ context, sourcePolicies, ...record });
  assert.deepEqual(Object.keys(lockIn(context).images ?? {}), [`${registry.host}/mirror:1`]);
  assert.equal(await builtFile(box, { context, sourcePolicies, ...require }, "x"), "mirrored");
});

test("a lock is beside its Dockerfile, or where the request says; without a directory it has to", async () => {
  const context = box.context({ "sub/Dockerfile": "FROM scratch\nCOPY f /\n", f: "f" });
  await box.run({ context, dockerfile: path.join(context, "sub/Dockerfile"), ...record });
  assert.ok(existsSync(path.join(context, "sub/tbuild.lock")));
  const file = path.join(context, "own.lock");
  await box.run({ context, dockerfile: path.join(context, "sub/Dockerfile"), lock: { mode: "record", file } });
  assert.ok(existsSync(file));
  const elsewhere = await failedBuild(box, { context: "https://files.test/context.tar", ...record });
  assert.match(`${elsewhere.message} ${elsewhere.hint}`, /is no directory of this machine Name the file with --lockfile/);
});

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { symlinkSync, truncateSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { hasCode } from "../../cache/errors.js";
import { tempDir } from "../../cache/testing/tempDir.js";
import { writeContext } from "../../fixtures/testBuilder.js";
import { SPDX } from "./attestation.js";
import { readPredicate } from "./readPredicate.js";
import { unbundle } from "./unbundle.js";

const traits = { predicateType: SPDX, inlineOnly: false, sbomCore: "sbom" };
const statement = (name: string, type = SPDX) => JSON.stringify({ predicateType: type, subject: [{ name: "x", digest: { sha256: "00" } }], predicate: { name } });

test("unbundle() reads every statement, that of the result itself first", async () => {
  await using dir = await tempDir();
  writeContext(dir.path, { "out/a.json": statement("a"), "out/sbom.spdx.json": statement("core") });
  const found = unbundle(dir.path, "out", traits);
  assert.deepEqual(found.map((one) => one.path), ["/out/sbom.spdx.json", "/out/a.json"]);
  assert.deepEqual(JSON.parse(Buffer.from(await found[0]!.content({})).toString()), { name: "core" });
  assert.deepEqual(found[0]!.subjects, [{ kind: "raw", name: "x", digest: { sha256: "00" } }]);
});

for (const [title, text, code] of [
  ["no JSON", "{", "corrupt"],
  ["no statement", "[]", "corrupt"],
  ["odd subjects", '{"predicateType":"x","subject":[1]}', "corrupt"],
  ["another type", statement("x", "https://example.com/x"), "invalid_argument"],
] as const) {
  test(`unbundle() refuses ${title}`, async () => {
    await using dir = await tempDir();
    writeContext(dir.path, { "x.json": text });
    assert.throws(() => unbundle(dir.path, "/", traits), (error) => hasCode(error, code));
  });
}

test("unbundle() refuses provenance, which only the builder may tell", async () => {
  await using dir = await tempDir();
  writeContext(dir.path, { "x.json": statement("x", "https://slsa.dev/provenance/v1") });
  assert.throws(() => unbundle(dir.path, "/", { ...traits, predicateType: "" }), /may not bundle provenance/);
});

test("readPredicate() reads regular files of the tree alone, up to 40 MiB", async () => {
  await using dir = await tempDir();
  const root = writeContext(path.join(dir.path, "root"), { f: "{}" });
  writeFileSync(path.join(dir.path, "outside"), "secret");
  symlinkSync("../outside", path.join(root, "up"));
  symlinkSync("/f", path.join(root, "link"));
  writeFileSync(path.join(root, "large"), "");
  truncateSync(path.join(root, "large"), (40 << 20) + 1);
  execFileSync("mkfifo", [path.join(root, "fifo")]);
  assert.equal(readPredicate(root, "link").toString(), "{}");
  for (const [name, code] of [["up", "not_found"], ["none", "not_found"], [".", "invalid_argument"], ["fifo", "invalid_argument"], ["large", "invalid_argument"]] as const) {
    assert.throws(() => readPredicate(root, name), (error) => hasCode(error, code), name);
  }
});

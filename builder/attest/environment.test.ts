import assert from "node:assert/strict";
import { test } from "node:test";
import { hasCode } from "../../cache/errors.js";
import { tempDir } from "../../cache/testing/tempDir.js";
import { writeContext } from "../../fixtures/testBuilder.js";
import { readEnvironment } from "./environment.js";

test("readEnvironment() joins the JSON files of a directory in the order of their names", async () => {
  await using dir = await tempDir();
  writeContext(dir.path, { "a.json": '{"x":1,"y":[1]}', "b.json": '{"x":2}', "c.txt": "no" });
  assert.deepEqual(readEnvironment(dir.path), { x: 2, y: [1] });
  assert.deepEqual(readEnvironment(`${dir.path}/none`), {});
});

for (const [text, code] of [["[]", "parse_failed"], ["{", "parse_failed"], ['{"builderPlatform":"x"}', "invalid_argument"]] as const) {
  test(`readEnvironment() refuses ${text}`, async () => {
    await using dir = await tempDir();
    writeContext(dir.path, { "a.json": text });
    assert.throws(() => readEnvironment(dir.path), (error) => hasCode(error, code));
  });
}

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { BASE, testBuilder } from "../fixtures/testBuilder.js";

const box = await testBuilder();
after(() => box[Symbol.asyncDispose]());

/** What of a cache mount a build sees that puts one more file there. */
async function seen(name: string, noCache: boolean): Promise<string> {
  const run = (id: string) => `RUN --mount=type=cache,id=${id},target=/c touch /c/${name} && echo seen ${id} $(ls /c)\n`;
  const { output } = await box.run({ context: box.context({ Dockerfile: `FROM ${BASE}\n${run("x")}${run("x")}` }), noCache });
  return /seen x .*/.exec(output)?.[0] ?? "";
}

test("a build without cache empties the cache mounts of its steps once", async () => {
  assert.equal(await seen("a", false), "seen x a");
  assert.equal(await seen("b", false), "seen x a b");
  assert.equal(await seen("c", true), "seen x c");
  assert.equal(await seen("d", false), "seen x c d");
});

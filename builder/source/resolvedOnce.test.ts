import assert from "node:assert/strict";
import { test } from "node:test";
import { resolvedOnce } from "./resolvedOnce.js";
import type { Source } from "./source.js";

test("resolvedOnce() remembers what a source is, but not that it could not be told", async () => {
  let calls = 0;
  const source: Source = {
    schemes: ["x"],
    async resolve({ identifier }) {
      calls++;
      if (calls === 1) throw new Error("not now");
      return { pin: null, attributes: { identifier, call: String(calls) }, snapshot: () => Promise.reject(new Error("no")) };
    },
  };
  const once = resolvedOnce();
  const ask = async (attrs: Readonly<Record<string, string>>, around = once) => {
    const opts = { signal: new AbortController().signal, report: { log() {}, warn() {}, status() {}, statusDone() {} } };
    return (await around.around(source).resolve({ identifier: "x://y", attrs, platform: null }, opts)).attributes["call"];
  };
  await assert.rejects(ask({}), /not now/);
  assert.deepEqual(await Promise.all([ask({ a: "1", b: "2" }), ask({ b: "2", a: "1" })]), ["2", "2"]);
  assert.equal(await ask({}), "3");
  assert.equal(await ask({ a: "1", b: "2" }, resolvedOnce()), "4");
});

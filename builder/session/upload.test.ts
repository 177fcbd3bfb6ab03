import assert from "node:assert/strict";
import { test } from "node:test";
import { hasCode } from "../../cache/errors.js";
import { type Offers, status } from "../../fixtures/sessionClient.js";
import { withSession } from "../../fixtures/testSession.js";
import { bytesMessage, pullUpload } from "../api/session.js";
import { pull, uploadIdOf } from "./upload.js";

for (const [url, id] of [
  ["http://buildkit-session/abc", "abc"],
  ["http://buildkit-session/", null],
  ["https://buildkit-session/abc", null],
  ["http://example/abc", null],
  ["abc", null],
] as const) {
  test(`uploadIdOf() finds ${id ?? "none"} in "${url}"`, () => assert.equal(uploadIdOf(url), id));
}

test("pull() gives the bytes that the client was given", async () => {
  let headers: Readonly<Record<string, unknown>> = {};
  const offers: Offers = {
    [pullUpload.path]: async (call) => {
      headers = call.metadata.getMap();
      for (let i = 0; i < 3; i++) call.write(Buffer.from(bytesMessage.encode({ data: Buffer.alloc(1_000_000, i) })));
    },
  };
  const sizes: number[] = [];
  await withSession(offers, async (session) => {
    for await (const chunk of pull(session, "abc", {})) sizes.push(chunk.length, chunk[0]!);
  });
  assert.deepEqual(sizes, [1_000_000, 0, 1_000_000, 1, 1_000_000, 2]);
  assert.deepEqual([headers["urlpath"], headers["urlhost"]], ["/abc", "buildkit-session"]);
});

test("pull() fails when the client does, and without the service", async () => {
  const read = (offers: Offers) => withSession(offers, (session) => pull(session, "x", {}).next());
  await assert.rejects(read({ [pullUpload.path]: () => Promise.reject(status(5, "no upload x")) }), (error) => hasCode(error, "not_found"));
  await assert.rejects(read({}), (error) => hasCode(error, "unsupported"));
});

test("pull() tells the client when nobody reads on", async () => {
  let told = () => {};
  const cancelled = new Promise<void>((done) => (told = done));
  const piece = Buffer.from(bytesMessage.encode({ data: Buffer.alloc(100_000) }));
  const endless: Offers = {
    [pullUpload.path]: async (call) => {
      call.on("cancelled", told);
      while (!call.cancelled) {
        if (!call.write(piece)) await new Promise<void>((done) => call.once("drain", done).once("cancelled", done));
      }
    },
  };
  await withSession(endless, async (session) => {
    for await (const _ of pull(session, "x", {})) break;
    await cancelled;
  });
});

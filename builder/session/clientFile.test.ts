import assert from "node:assert/strict";
import { finished } from "node:stream/promises";
import { test } from "node:test";
import { hasCode } from "../../cache/errors.js";
import { messagesOf, type Offers, status } from "../../fixtures/sessionClient.js";
import { withSession } from "../../fixtures/testSession.js";
import { bytesMessage, sendFile } from "../api/session.js";
import { openClientFile } from "./clientFile.js";

test("openClientFile() sends bytes in pieces, and finishes once the client has taken them", async () => {
  const sizes: number[] = [];
  let headers: Readonly<Record<string, unknown>> = {};
  let taken = false;
  const offers: Offers = {
    [sendFile.path]: async (call) => {
      headers = call.metadata.getMap();
      for await (const bytes of messagesOf(call)) sizes.push(bytesMessage.decode(bytes).data.length);
      await new Promise((done) => setTimeout(done, 30));
      taken = true;
    },
  };
  await withSession(offers, async (session) => {
    const file = openClientFile(session, { exporterId: 2, metadata: { "containerimage.digest": "sha256:x" } }, {});
    file.write(Buffer.alloc(7_000_000));
    file.end(Buffer.from("end"));
    await finished(file);
  });
  assert.deepEqual(sizes, [3_145_728, 3_145_728, 708_544, 3]);
  assert.equal(taken, true);
  assert.equal(headers["buildkit-attachable-exporter-id"], "2");
  assert.equal(headers["exporter-md-containerimage.digest"], "sha256:x");
});

test("openClientFile() is content with a client that has the file already", async () => {
  await withSession({ [sendFile.path]: () => Promise.reject(status(6, "target already exists")) }, async (session) => {
    const file = openClientFile(session, { exporterId: 0 }, {});
    for (let i = 0; i < 50; i++) if (!file.write(Buffer.alloc(100_000))) await new Promise((done) => file.once("drain", done));
    file.end();
    await finished(file);
  });
});

test("openClientFile() fails with what the client refuses it with, and without the service", async () => {
  await withSession({ [sendFile.path]: () => Promise.reject(status(2, "no space left on device")) }, async (session) => {
    const file = openClientFile(session, { exporterId: 0 }, {});
    file.end("x");
    await assert.rejects(finished(file), (error) => hasCode(error, "unavailable") && /no space/.test(String(error)));
  });
  await withSession({}, async (session) => {
    assert.throws(() => openClientFile(session, { exporterId: 0 }, {}), (error) => hasCode(error, "unsupported"));
  });
});

test("openClientFile() tells the client when it is given up", async () => {
  let told = () => {};
  const cancelled = new Promise<void>((done) => (told = done));
  await withSession({ [sendFile.path]: (call) => new Promise<void>((done) => call.on("cancelled", () => [told(), done()])) }, async (session) => {
    const file = openClientFile(session, { exporterId: 0 }, {});
    file.write("x");
    setTimeout(() => file.destroy(), 20);
    await cancelled;
  });
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { answers, status } from "../../fixtures/sessionClient.js";
import { withSession } from "../../fixtures/testSession.js";
import { finalizeExport, findExporters } from "../api/session.js";
import { sessionExporters, tellExported } from "./exporters.js";

const question = { metadata: { "image.name": Buffer.from("app") }, refs: ["r"] };

test("sessionExporters() has what the client wants of a result", async () => {
  const offers = answers(findExporters, ({ metadata, refs }) => ({ exporters: [{ type: "oci", attrs: { refs: refs.join(), name: Buffer.from(metadata["image.name"]!).toString() } }] }));
  const found = await withSession(offers, (session) => sessionExporters(session, question, {}));
  assert.deepEqual(found, [{ type: "oci", attrs: { refs: "r", name: "app" } }]);
});

test("a client that does not say which outputs it wants, or how it takes them, is no failure; one that refuses is", async () => {
  await withSession({}, async (session) => {
    assert.deepEqual(await sessionExporters(session, question, {}), []);
    await tellExported(session, {}, {});
  });
  await withSession(answers(finalizeExport, () => Promise.reject(status(14, "not now"))), (session) => tellExported(session, { a: "b" }, {}));
  await withSession(answers(finalizeExport, () => Promise.reject(status(2, "not content"))), async (session) => {
    await assert.rejects(tellExported(session, { a: "b" }, {}), /not content/);
  });
});

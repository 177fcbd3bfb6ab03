import assert from "node:assert/strict";
import { test } from "node:test";
import { hasCode } from "../../cache/errors.js";
import { answers, status } from "../../fixtures/sessionClient.js";
import { withSession } from "../../fixtures/testSession.js";
import { getSecret } from "../api/session.js";
import { fetchSecrets } from "./secrets.js";

test("fetchSecrets() has what the client has, and asks once", async () => {
  const asked: string[] = [];
  const offers = answers(getSecret, ({ id }) => {
    asked.push(id);
    if (id === "none") throw status(5, "secret none: not found");
    return { data: Buffer.from(id === "binary" ? [0, 255] : `value of ${id}`) };
  });
  const secrets = await withSession(offers, (session) => fetchSecrets(session, ["token", "none", "binary", "token"], {}));
  assert.deepEqual(asked.sort(), ["binary", "none", "token"]);
  assert.equal(secrets.get("token")?.toString(), "value of token");
  assert.deepEqual([...(secrets.get("binary") ?? [])], [0, 255]);
  assert.equal(secrets.get("none"), null);
  assert.equal(secrets.get("other"), null);
  assert.equal(secrets.findIn("a value of token b"), "token");
  assert.deepEqual(secrets.known().map(({ id }) => id), ["token", "binary"]);
});

test("fetchSecrets() fails when the client does, and refuses large ones", async () => {
  await withSession(answers(getSecret, () => Promise.reject(status(2, "keychain is locked"))), async (session) => {
    await assert.rejects(fetchSecrets(session, ["x"], {}), (error) => hasCode(error, "unavailable") && /keychain/.test(String(error)));
  });
  const large = await withSession(answers(getSecret, () => ({ data: Buffer.alloc(500 * 1024 + 1) })), (session) => fetchSecrets(session, ["x"], {}));
  assert.throws(() => large.get("x"), (error) => hasCode(error, "resource_exhausted"));
});

test("fetchSecrets() has none of a client that offers none", async () => {
  assert.equal((await withSession({}, (session) => fetchSecrets(session, ["x"], {}))).get("x"), null);
});

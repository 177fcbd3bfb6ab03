import assert from "node:assert/strict";
import { duplexPair } from "node:stream";
import { test } from "node:test";
import { hasCode } from "../../cache/errors.js";
import { answers, type ClientCall, type Offers, sessionClient, status } from "../../fixtures/sessionClient.js";
import { checkHealth, getSecret } from "../api/session.js";
import { ask } from "./calls.js";
import { readSessionHeaders, type SessionOffer } from "./sessionHeaders.js";
import { createSessions } from "./sessions.js";

const noMore = { intervalMs: 3_600_000, timeoutMs: 1, failures: 1 };

function offerOf(id: string, extra: Partial<SessionOffer> = {}): SessionOffer {
  return { id, name: "", sharedKey: "", methods: new Set(), health: noMore, ...extra };
}

test("readSessionHeaders() reads what a client offers, methods in any case", () => {
  const headers = new Map([
    ["x-docker-expose-session-uuid", ["abc"]],
    ["x-docker-expose-session-sharedkey", ["ctx:node"]],
    ["x-docker-expose-session-grpc-method", ["/A.B/DiffCopy", "/c.D/E, /f.G/H"]],
  ]);
  const offer = readSessionHeaders((name) => headers.get(name) ?? []);
  assert.equal(offer.id, "abc");
  assert.equal(offer.sharedKey, "ctx:node");
  assert.deepEqual([...offer.methods], ["/a.b/diffcopy", "/c.d/e", "/f.g/h"]);
  assert.deepEqual(offer.health, { intervalMs: 5_000, timeoutMs: 15_000, failures: 2 });
});

for (const [value, ms] of [["2500", 2_500], ["10", 1_000], ["-5", null], ["x", null], ["0", null]] as const) {
  test(`readSessionHeaders() takes a health timeout of "${value}" for ${ms ?? "none"}`, () => {
    const { health } = readSessionHeaders((name) => (name === "x-buildkit-session-health-custom-timeout" ? [value] : []));
    assert.deepEqual(health, ms === null ? { intervalMs: 5_000, timeoutMs: 15_000, failures: 2 } : { intervalMs: ms, timeoutMs: ms, failures: 1 });
  });
}

test("get() waits for a session that comes later, and finds it by a prefixed id", async () => {
  const sessions = createSessions();
  await using client = sessionClient(answers(getSecret, ({ id }) => ({ data: Buffer.from(id) })));
  const found = sessions.get("context:one", {});
  const served = sessions.serve(client.pipe, offerOf("one", { methods: new Set([getSecret.path.toLowerCase()]), sharedKey: "k" }));
  const session = await found;
  assert.equal(session.sharedKey, "k");
  assert.equal(session.supports(getSecret.path.toUpperCase()), true);
  assert.equal(session.supports(checkHealth.path), false);
  assert.equal(Buffer.from((await ask(session, getSecret, { id: "x" }, {})).data).toString(), "x");
  client.vanish();
  await served;
  assert.equal(session.closed.aborted, true);
  await assert.rejects(sessions.get("one", { waitMs: 10 }), (error) => hasCode(error, "not_found"));
});

test("get() gives up after its time, or when it is cancelled", async () => {
  const sessions = createSessions();
  await assert.rejects(sessions.get("none", { waitMs: 20 }), (error) => hasCode(error, "not_found"));
  const controller = new AbortController();
  const waiting = sessions.get("none", { signal: controller.signal });
  controller.abort();
  await assert.rejects(waiting, (error) => hasCode(error, "cancelled"));
});

test("serve() refuses a second session of one id, and one without id", async () => {
  const sessions = createSessions();
  await using client = sessionClient({});
  const served = sessions.serve(client.pipe, offerOf("one"));
  const [other] = duplexPair();
  await assert.rejects(sessions.serve(other, offerOf("one")), (error) => hasCode(error, "already_exists"));
  await assert.rejects(sessions.serve(other, offerOf("")), (error) => hasCode(error, "invalid_argument"));
  client.vanish();
  await served;
});

test("any() asks one session after the other", async () => {
  const sessions = createSessions();
  await using empty = sessionClient(answers(getSecret, () => Promise.reject(status(5, "no"))));
  await using full = sessionClient(answers(getSecret, () => ({ data: Uint8Array.of(7) })));
  const served = [sessions.serve(empty.pipe, offerOf("empty")), sessions.serve(full.pipe, offerOf("full"))];
  const use = (ids: readonly string[]) => sessions.any(ids, {}, (session) => ask(session, getSecret, {}, {}));
  assert.deepEqual([...(await use(["empty", "full"])).data], [7]);
  await assert.rejects(use(["empty"]), (error) => hasCode(error, "not_found"));
  await assert.rejects(use([]), (error) => hasCode(error, "not_found"));
  empty.vanish();
  full.vanish();
  await Promise.all(served);
});

async function served(offers: Offers, health: SessionOffer["health"]): Promise<string> {
  await using client = sessionClient(offers);
  const sessions = createSessions();
  const over = sessions.serve(client.pipe, offerOf("one", { health }));
  const session = await sessions.get("one", {});
  await over;
  return String(session.closed.reason);
}

test("a session is closed after two health checks without an answer", async () => {
  const stuck = (call: ClientCall) => new Promise<void>((done) => call.on("cancelled", done));
  const reason = await served({ [checkHealth.path]: stuck }, { intervalMs: 5, timeoutMs: 20, failures: 2 });
  assert.match(reason, /health check failed.*no answer within/);
});

test("a session stays while its client answers, also after one failure", async () => {
  let checks = 0;
  const offers = answers(checkHealth, () => {
    checks++;
    if (checks === 2 || checks >= 4) throw status(13, "busy");
    return { status: 1 };
  });
  const reason = await served(offers, { intervalMs: 5, timeoutMs: 2_000, failures: 2 });
  assert.match(reason, /health check failed.*busy/);
  assert.equal(checks, 5);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { hasCode } from "../../cache/errors.js";
import { answers, status } from "../../fixtures/sessionClient.js";
import { withSession } from "../../fixtures/testSession.js";
import { fetchToken, getCredentials, getTokenAuthority } from "../api/session.js";
import { createAuthenticator } from "../registry/auth.js";
import type { HttpTransport } from "../registry/http.js";
import { sessionCredentials } from "./auth.js";

const logins = [
  ["docker.io", { username: "me", secret: "pw" }, "registry-1.docker.io", { kind: "password", username: "me", password: "pw" }],
  ["localhost:5000", { username: "", secret: "refresh" }, "localhost:5000", { kind: "identity", token: "refresh" }],
  ["ghcr.io", {}, "ghcr.io", null],
] as const;

for (const [host, answer, asked, expected] of logins) {
  test(`sessionCredentials() takes ${JSON.stringify(answer)} of ${host} for ${expected?.kind ?? "none"}`, async () => {
    const offers = answers(getCredentials, (request) => {
      assert.equal(request.host, asked);
      return answer;
    });
    assert.deepEqual(await withSession(offers, (session) => sessionCredentials(session, {}).get(host)), expected);
  });
}

test("sessionCredentials() has none when the client does not offer them, in words or in deeds", async () => {
  assert.equal(await withSession({}, (session) => sessionCredentials(session, {}).get("ghcr.io")), null);
  const refuses = answers(getCredentials, () => Promise.reject(status(12, "unknown")));
  assert.equal(await withSession(refuses, (session) => sessionCredentials(session, {}).get("ghcr.io")), null);
  const fails = answers(getCredentials, () => Promise.reject(status(2, "helper failed")));
  await withSession(fails, async (session) => {
    await assert.rejects(sessionCredentials(session, {}).get("ghcr.io"), (error) => hasCode(error, "unavailable"));
  });
});

const noNetwork: HttpTransport = { request: () => Promise.reject(new Error("no request was to be made")) } as unknown as HttpTransport;
const challenge = 'Bearer realm="https://auth.example/token",service="example",scope="repository:a/b:pull"';
const target = { reference: { registry: "example", repository: "a/b", tag: "1", digest: null }, host: "example", doing: "get" } as const;

test("an authenticator lets a client fetch tokens with a login that it keeps", async () => {
  const authorities: number[] = [];
  const offers = {
    ...answers(getTokenAuthority, ({ salt }) => {
      authorities.push(salt.length);
      return { publicKey: new Uint8Array(32) };
    }),
    ...answers(fetchToken, ({ host, realm, service, scopes }) => ({ token: [host, realm, service, ...scopes].join(" ") })),
    ...answers(getCredentials, () => Promise.reject(status(2, "never"))),
  };
  await withSession(offers, async (session) => {
    const auth = createAuthenticator(noNetwork, sessionCredentials(session, {}));
    const header = await auth.answer(challenge, target, { repository: "a/b", actions: "pull" }, undefined, {});
    assert.equal(header, "Bearer example https://auth.example/token example repository:a/b:pull");
    await auth.answer(challenge, target, { repository: "c/d", actions: "pull,push" }, undefined, {});
    assert.deepEqual(authorities, [32]);
  });
});

test("an authenticator asks for the login when the client has no key", async () => {
  const offers = {
    ...answers(getTokenAuthority, () => Promise.reject(status(14, "client side tokens disabled"))),
    ...answers(fetchToken, () => Promise.reject(status(2, "never"))),
    ...answers(getCredentials, () => ({ username: "me", secret: "pw" })),
  };
  await withSession(offers, async (session) => {
    const auth = createAuthenticator(noNetwork, sessionCredentials(session, {}));
    const header = await auth.answer("Basic realm=x", target, { repository: "a/b", actions: "pull" }, undefined, {});
    assert.equal(header, `Basic ${Buffer.from("me:pw").toString("base64")}`);
    assert.equal(await sessionCredentials(session, {}).token?.({ host: "example", realm: "", service: "", scopes: [] }, {}), null);
  });
});

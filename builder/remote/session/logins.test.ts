import assert from "node:assert/strict";
import { createPublicKey, verify } from "node:crypto";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { duplexPair } from "node:stream";
import { after, before, test } from "node:test";
import { hasCode } from "../../../cache/errors.js";
import { fetchToken, getCredentials, getTokenAuthority, verifyTokenAuthority } from "../../api/session.js";
import type { Credentials } from "../../registry/credentials.js";
import { createTransport } from "../../registry/http.js";
import { ask } from "../../session/calls.js";
import { openTunnel, type Tunnel } from "../../session/tunnel.js";
import { loginOffers } from "./logins.js";
import { registryWords } from "./registryWords.js";
import { serveSession } from "./serveSession.js";

const asked: { readonly url: string; readonly authorization: string | undefined }[] = [];
let challenge = "";
const server = http.createServer((request, response) => {
  asked.push({ url: request.url ?? "", authorization: request.headers.authorization });
  if (request.url?.startsWith("/v2/") === true) return response.writeHead(401, { "www-authenticate": challenge }).end();
  return response.writeHead(200).end(JSON.stringify({ token: "made" }));
});
let host = "";
before(async () => {
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
});
after(() => server.close());

const login: Credentials = { kind: "password", username: "me", password: "secret" };

async function withBuilder(held: Credentials | null, body: (tunnel: Tunnel) => Promise<void>): Promise<void> {
  asked.length = 0;
  const [near, far] = duplexPair();
  const transport = createTransport();
  const words = registryWords(new Map(), transport);
  using _ = serveSession(near, loginOffers({ credentials: { get: async (name) => (name === host ? held : null) }, transport, words }));
  using tunnel = openTunnel(far);
  await body(tunnel);
  transport.close();
}

const bearer = (): string => `Bearer realm="http://${host}/token",service="s"`;
const request = (realm: string) => ({ host, realm, service: "s", scopes: ["repository:a/b:pull"] });

test("loginOffers() fetches a token from the server that the registry names, and keeps the password", async () => {
  challenge = bearer();
  await withBuilder(login, async (tunnel) => {
    const { token } = await ask(tunnel, fetchToken, request(`http://${host}/token`), {});
    assert.equal(token, "made");
    assert.equal(asked.at(-1)?.url, "/token?service=s&scope=repository%3Aa%2Fb%3Apull");
    assert.equal(asked.at(-1)?.authorization, `Basic ${Buffer.from("me:secret").toString("base64")}`);
    assert.deepEqual(await ask(tunnel, getCredentials, { host }, {}), { username: "", secret: "" });
  });
});

test("loginOffers() shows no login to a server that the registry does not name", async () => {
  challenge = bearer();
  await withBuilder(login, async (tunnel) => {
    for (const realm of [`http://${host}/evil`, "https://evil.example/token", "file:///x", ""]) {
      await assert.rejects(ask(tunnel, fetchToken, request(realm), {}), (error) => hasCode(error, "permission_denied"));
    }
    assert.equal(asked.some(({ authorization }) => authorization !== undefined), false);
  });
});

test("loginOffers() gives the password away for a registry that takes nothing else", async () => {
  challenge = 'Basic realm="r"';
  await withBuilder(login, async (tunnel) => {
    assert.deepEqual(await ask(tunnel, getCredentials, { host }, {}), { username: "me", secret: "secret" });
    assert.deepEqual(await ask(tunnel, getCredentials, { host: "other.example" }, {}), { username: "", secret: "" });
  });
});

test("loginOffers() has a key for a registry with a login, which is the salt's alone", async () => {
  challenge = bearer();
  await withBuilder(login, async (tunnel) => {
    const salt = Buffer.alloc(32, 1);
    const { publicKey } = await ask(tunnel, getTokenAuthority, { host, salt }, {});
    const { signed } = await ask(tunnel, verifyTokenAuthority, { host, salt, payload: Buffer.from("payload") }, {});
    const spki = Buffer.concat([Buffer.from("302a300506032b6570032100", "hex"), publicKey]);
    const key = createPublicKey({ key: spki, format: "der", type: "spki" });
    assert.equal(Buffer.from(signed.subarray(64)).toString(), "payload");
    assert.ok(verify(null, Buffer.from("payload"), key, signed.subarray(0, 64)));
    assert.notDeepEqual((await ask(tunnel, getTokenAuthority, { host, salt: Buffer.alloc(32, 2) }, {})).publicKey, publicKey);
  });
  await withBuilder(null, async (tunnel) => {
    await assert.rejects(ask(tunnel, getTokenAuthority, { host, salt: Buffer.alloc(32) }, {}), (error) => hasCode(error, "unavailable"));
  });
});

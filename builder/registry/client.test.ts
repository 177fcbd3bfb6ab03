import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { test } from "node:test";
import { memoryContentStore } from "../../cache/content/memoryStore.js";
import { hasCode, isTbuildError } from "../../cache/errors.js";
import { digestOf } from "../../cache/oci/digest.js";
import { parseReference } from "../../cache/oci/reference.js";
import { startFaultyServer } from "../../fixtures/registry.js";
import { createRegistryClient, hasBlob } from "./client.js";
import type { CredentialStore, Credentials } from "./credentials.js";

const blob = randomBytes(300_000);
const descriptor = { mediaType: "application/octet-stream", digest: digestOf(blob), size: blob.length };

async function setUp(handler: (request: IncomingMessage, response: ServerResponse) => void, held: Credentials | null = null) {
  const server = await startFaultyServer(handler);
  const credentials: CredentialStore = { get: async () => held };
  const registries = new Map(
    [[server.host, { mirrors: [], http: true, insecure: false, ca: [], keypairs: [], tlsConfigDirs: [] }]],
  );
  const client = createRegistryClient({ registries, credentials });
  const content = memoryContentStore();
  const reference = parseReference(`${server.host}/a/b:v1`);
  return {
    server,
    client,
    content,
    reference,
    fetch: (signal?: AbortSignal) => client.fetchBlob(reference, descriptor, content, { signal }),
    async [Symbol.asyncDispose]() {
      client[Symbol.dispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

const rangeStart = (request: IncomingMessage) => Number(/bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0);

test("fetchBlob() goes on by Range where a connection broke off", async () => {
  let calls = 0;
  await using at = await setUp((request, response) => {
    const start = rangeStart(request);
    response.writeHead(start > 0 ? 206 : 200, {
      "content-length": blob.length - start,
      ...(start > 0 ? { "content-range": `bytes ${start}-${blob.length - 1}/${blob.length}` } : {}),
    });
    if (++calls > 2) return void response.end(blob.subarray(start));
    response.write(blob.subarray(start, start + 100_000), () => response.destroy());
  });
  await at.fetch();
  assert.ok(await hasBlob(at.content, descriptor));
  assert.equal(calls, 3);
});

test("fetchBlob() copes with a server that ignores Range", async () => {
  let calls = 0;
  await using at = await setUp((_, response) => {
    response.writeHead(200, { "content-length": blob.length });
    if (++calls > 1) return void response.end(blob);
    response.write(blob.subarray(0, 70_000), () => response.destroy());
  });
  await at.fetch();
  assert.ok(await hasBlob(at.content, descriptor));
});

test("fetchBlob() refuses other bytes, more bytes and fewer bytes", async () => {
  const bodies: readonly (readonly [Buffer, string])[] = [
    [randomBytes(blob.length), "digest_mismatch"],
    [Buffer.concat([blob, Buffer.from("x")]), "corrupt"],
    [blob.subarray(0, 10), "corrupt"],
  ];
  for (const [body, code] of bodies) {
    await using at = await setUp((request, response) => void response.end(rangeStart(request) > 0 ? "" : body));
    await assert.rejects(at.fetch(), (error) => {
      assert.ok(isTbuildError(error) && error.code === code, String(error));
      assert.ok(error.message.includes(at.server.host) && error.message.includes("a/b:v1"), error.message);
      return true;
    });
    assert.equal(await hasBlob(at.content, descriptor), false);
  }
});

test("fetchBlob() waits as long as Retry-After says and tries again", async () => {
  let calls = 0;
  await using at = await setUp((_, response) => {
    if (++calls > 2) return void response.end(blob);
    response.writeHead(calls === 1 ? 429 : 503, { "retry-after": "0" }).end();
  });
  await at.fetch();
  assert.equal(calls, 3);
});

test("fetchBlob() follows redirects without taking the login along, and ends a loop", async () => {
  const seen: (string | undefined)[] = [];
  await using store = await startFaultyServer((request, response) => {
    seen.push(request.headers.authorization);
    response.end(blob);
  });
  const held: Credentials = { kind: "password", username: "ann", password: "s3cret" };
  await using at = await setUp((request, response) => {
    if (request.headers.authorization === undefined) return void response.writeHead(
      401,
      { "www-authenticate": 'Basic realm="x"' },
    ).end();
    response.writeHead(307, { location: `http://${store.host}/blob` }).end();
  }, held);
  await at.fetch();
  assert.deepEqual(seen, [undefined]);
  await using loop = await setUp((request, response) => void response.writeHead(302, { location: request.url }).end());
  await assert.rejects(loop.fetch(), (error) => hasCode(error, "unavailable"));
});

test("fetchBlob() downloads once for two who ask at the same time", async () => {
  await using at = await setUp((_, response) => void setTimeout(() => response.end(blob), 20));
  await Promise.all([at.fetch(), at.fetch()]);
  assert.equal(at.server.requests.length, 1);
});

test("fetchBlob() stops in the middle when its signal is aborted", async () => {
  const abort = new AbortController();
  await using at = await setUp((_, response) => {
    response.writeHead(200, { "content-length": blob.length });
    response.write(blob.subarray(0, 1000), () => setTimeout(() => abort.abort(), 10));
  });
  await assert.rejects(at.fetch(abort.signal), (error) => hasCode(error, "cancelled"));
  assert.equal(await hasBlob(at.content, descriptor), false);
});

test("manifest() refuses a manifest of another digest, and one that is too large", async () => {
  await using at = await setUp((request, response) => {
    response.end(request.url?.includes("huge") ? Buffer.alloc(5 << 20) : `{"schemaVersion":2}`);
  });
  const pinned = { ...at.reference, digest: digestOf("something else") };
  await assert.rejects(at.client.manifest(pinned), (error) => hasCode(error, "digest_mismatch"));
  await assert.rejects(at.client.manifest({ ...at.reference, tag: "huge" }), (error) => hasCode(error, "corrupt"));
});

test("manifest() fetches one bearer token for a repository, by password or by refresh token", async () => {
  const logins: readonly (readonly [Credentials | null, string])[] = [
    [null, "GET undefined"],
    [{ kind: "password", username: "ann", password: "pw" }, `GET Basic ${Buffer.from("ann:pw").toString("base64")}`],
    [{ kind: "identity", token: "refresh" }, "POST undefined"],
  ];
  for (const [held, wanted] of logins) {
    const asked: string[] = [];
    await using at = await setUp((request, response) => {
      if (request.url?.startsWith("/token")) {
        asked.push(`${request.method} ${request.headers.authorization}`);
        return void response.end(`{"token":"tok"}`);
      }
      if (request.headers.authorization === "Bearer tok") return void response.end(`{"schemaVersion":2}`);
      const realm = `Bearer realm="http://${request.headers.host}/token",service="reg, istry"`;
      response.writeHead(401, { "www-authenticate": realm }).end();
    }, held);
    await at.client.manifest(at.reference);
    await at.client.manifest(at.reference);
    assert.deepEqual(asked, [wanted]);
    const query = at.server.requests.find((line) => line.includes("/token"))!;
    if (held?.kind !== "identity") assert.ok(query.includes("service=reg%2C+istry&scope=repository%3Aa%2Fb%3Apull"), query);
  }
});

test("fetchBlob() asks a layer's HTTP addresses, without the login, for what the registry does not have", async () => {
  await using elsewhere = await startFaultyServer((request, response) => {
    assert.equal(request.headers.authorization, undefined);
    if (request.url === "/short") response.end(blob.subarray(1));
    else if (request.url === "/long") response.end(Buffer.concat([blob, blob]));
    else response.end(blob);
  });
  await using at = await setUp((_, response) => response.writeHead(404).end(), { kind: "password", username: "u", password: "p" });
  const addresses = (...paths: string[]) => ({ ...descriptor, urls: paths.map((name) => (name.startsWith("/") ? `http://${elsewhere.host}${name}` : name)) });
  await assert.rejects(at.client.fetchBlob(at.reference, descriptor, at.content), (error) => hasCode(error, "not_found"));
  await assert.rejects(at.client.fetchBlob(at.reference, addresses("ftp://x/y", "nowhere"), at.content), (error) => hasCode(error, "not_found"));
  await assert.rejects(at.client.fetchBlob(at.reference, addresses("/short"), at.content), (error) => hasCode(error, "digest_mismatch"));
  await assert.rejects(at.client.fetchBlob(at.reference, addresses("/long"), at.content), (error) => hasCode(error, "unavailable"));
  await at.client.fetchBlob(at.reference, addresses("ftp://x/y", "/short", "/long", "/right"), at.content);
  assert.ok(await hasBlob(at.content, descriptor));
});

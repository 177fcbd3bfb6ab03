import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import type { FileContentStore } from "../../cache/content/store.js";
import { hasCode, isTbuildError } from "../../cache/errors.js";
import type { Descriptor } from "../../cache/oci/descriptor.js";
import { digestOf } from "../../cache/oci/digest.js";
import { parseReference } from "../../cache/oci/reference.js";
import { withStore } from "../../cache/testing/store.js";
import { type PushFault, type PushServer, startPushServer } from "../../fixtures/pushServer.js";
import { startFaultyServer } from "../../fixtures/registry.js";
import type { StepReporter } from "../../solver/progress.js";
import type { CredentialStore, Credentials } from "./credentials.js";
import { createRegistryWriter, type PushImage, type RegistryWriter } from "./push.js";
import type { PushBlob } from "./pushBlob.js";
import type { PushOpts } from "./pushPoint.js";
import { putBlob } from "./resolve.js";

const SMALL = randomBytes(300_000);
const LARGE = randomBytes(20 << 20);
const MANIFEST = Buffer.from(`{"schemaVersion":2}`);

interface SetUp {
  readonly server: PushServer;
  readonly writer: RegistryWriter;
  readonly content: FileContentStore;
  /** What the push printed. */
  readonly logged: () => string;
  push(blobs: readonly Buffer[], names: readonly string[], opts?: PushOpts & { readonly origin?: string }): Promise<void>;
}

/** Runs `body` with a registry that has `fault`, and a writer that logs in as `held`. */
async function withPush(fault: PushFault, body: (at: SetUp) => Promise<void>, held: Credentials | null = null): Promise<void> {
  await withStore(async ({ content }) => {
    await using server = await startPushServer(fault);
    const credentials: CredentialStore = { get: async () => held };
    using writer = createRegistryWriter({ registries: new Map(), credentials, content });
    let text = "";
    const report: StepReporter = { log: (_, bytes) => void (text += Buffer.from(bytes).toString()), status() {}, statusDone() {}, warn() {} };
    await body({
      server,
      writer,
      content,
      logged: () => text,
      async push(blobs, names, { origin, ...opts } = {}) {
        const image = await imageOf(content, blobs, origin === undefined ? null : `${server.host}/${origin}`);
        await writer.push(image, names.map((name) => parseReference(`${server.host}/${name}`)), { report, ...opts });
      },
    });
  });
}

async function imageOf(content: FileContentStore, blobs: readonly Buffer[], origin: string | null): Promise<PushImage> {
  const stored = await Promise.all([MANIFEST, ...blobs].map((bytes) => store(content, bytes)));
  const [root, ...layers] = stored as [Descriptor, ...Descriptor[]];
  return { root, children: [], blobs: layers.map((descriptor): PushBlob => ({ descriptor, origin, fetch: async () => {} })) };
}

async function store(content: FileContentStore, bytes: Buffer): Promise<Descriptor> {
  const digest = digestOf(bytes);
  await putBlob(content, bytes, digest);
  return { mediaType: "application/vnd.oci.image.manifest.v1+json", digest, size: bytes.length };
}

const sentTo = ({ requests }: PushServer, pattern: RegExp) => requests.filter((line) => pattern.test(line));

test("push() sends each blob once for all tags, and mounts it for another repository", async () => {
  await withPush(() => false, async ({ server, push }) => {
    await push([SMALL, LARGE, SMALL], ["a:1", "a:2", "b:1"]);
    assert.equal(server.received(), SMALL.length + LARGE.length);
    assert.deepEqual([...server.manifests.keys()], ["a 1", "a 2", "b 1"]);
    assert.ok(server.blobs.get(`b ${digestOf(SMALL)}`)?.equals(SMALL) && server.blobs.get(`a ${digestOf(LARGE)}`)?.equals(LARGE));
    await push([SMALL, LARGE], ["a:3"]);
    assert.equal(server.received(), SMALL.length + LARGE.length);
  });
});

test("push() sends children by digest before the index, and a name without a tag by digest", async () => {
  await withPush(() => false, async ({ server, writer, content }) => {
    const image = await imageOf(content, [SMALL], null);
    const child = await store(content, Buffer.from("{}"));
    await writer.push({ ...image, children: [child] }, [parseReference(`${server.host}/a`)]);
    assert.deepEqual([...server.manifests.keys()], [`a ${child.digest}`, `a ${digestOf(MANIFEST)}`]);
  });
});

test("push() mounts a blob from the repository that it came from, without its bytes", async () => {
  await withPush(() => false, async ({ server, push, writer, content }) => {
    await push([SMALL], ["base:1"]);
    const image = await imageOf(content, [], null);
    const descriptor = { mediaType: "x", digest: digestOf(SMALL), size: SMALL.length };
    const fetch = () => Promise.reject(new Error("not needed"));
    await writer.push({ ...image, blobs: [{ descriptor, origin: `${server.host}/base`, fetch }] }, [parseReference(`${server.host}/app:1`)]);
    assert.ok(server.blobs.has(`app ${digestOf(SMALL)}`));
    assert.equal(server.received(), SMALL.length);
  });
});

test("push() goes on with the upload that a registry begins instead of a mount", async () => {
  await withPush(() => false, async ({ server, push }) => {
    await push([SMALL], ["app:1"], { origin: "nothing-here" });
    assert.ok(server.blobs.has(`app ${digestOf(SMALL)}`));
    assert.deepEqual(sentTo(server, /^POST/), [`POST /v2/app/blobs/uploads/?mount=${digestOf(SMALL)}&from=nothing-here`]);
  });
});

/** Takes `limit` bytes of the first request that sends some, and breaks the connection. */
function breaksAfter(limit: number): PushFault {
  let broken = false;
  return async ({ method, request, upload }) => {
    if (broken || upload === null || method !== "PUT") return false;
    broken = true;
    for await (const chunk of request as AsyncIterable<Buffer>) {
      upload.bytes = Buffer.concat([upload.bytes, chunk]);
      if (upload.bytes.length >= limit) break;
    }
    request.socket.destroy();
    return true;
  };
}

test("push() goes on where a connection broke off, and says so", async () => {
  await withPush(breaksAfter(6 << 20), async ({ server, push, logged }) => {
    await push([LARGE], ["a:1"]);
    assert.ok(server.blobs.get(`a ${digestOf(LARGE)}`)?.equals(LARGE));
    assert.ok(server.received() > 0 && server.received() < LARGE.length - (5 << 20), String(server.received()));
    assert.match(logged(), /^Cannot push blob sha256:.* of ".*\/a:1" to .*; trying again in 0\.3 s\n$/);
  });
});

test("push() begins anew when the registry has forgotten the upload, and not when it was complete after all", async () => {
  for (const complete of [false, true]) {
    let faults = 0;
    const forgets: PushFault = async ({ method, request, upload, url, response }) => {
      if (method !== "PUT" || upload === null || faults++ > 0) return false;
      for await (const chunk of request as AsyncIterable<Buffer>) upload.bytes = Buffer.concat([upload.bytes, chunk]);
      if (complete) at.set(`a ${url.searchParams.get("digest")}`, upload.bytes);
      upload.bytes = Buffer.alloc(LARGE.length); // more than there are: nothing to go on with
      response.writeHead(404).end();
      return true;
    };
    let at = new Map<string, Buffer>();
    await withPush(forgets, async ({ server, push }) => {
      at = server.blobs as Map<string, Buffer>;
      await push([SMALL], ["a:1"]);
      assert.equal(server.received(), complete ? 0 : SMALL.length);
      assert.ok(server.manifests.has("a 1"));
    });
  }
});

test("push() sends parts where one request is too large", async () => {
  const limited: PushFault = ({ method, headers, response }) => {
    if (method === "GET" || Number(headers["content-length"] ?? 0) <= 8 << 20) return false;
    response.writeHead(413, { connection: "close" }).end();
    return true;
  };
  await withPush(limited, async ({ server, push }) => {
    await push([LARGE], ["a:1"]);
    assert.ok(server.blobs.get(`a ${digestOf(LARGE)}`)?.equals(LARGE));
    assert.equal(sentTo(server, /^PATCH/).length, 3);
  });
});

test("push() waits as long as Retry-After says, and gives up on an answer that lasts", async () => {
  let refused = 0;
  const limited: PushFault = ({ method, response }) => {
    if (method !== "POST" || refused++ > 1) return false;
    response.writeHead(429, { "retry-after": "0" }).end();
    return true;
  };
  await withPush(limited, async ({ server, push, logged }) => {
    await push([SMALL], ["a:1"]);
    assert.ok(server.manifests.has("a 1"));
    assert.equal(logged().match(/registry answered 429; trying again in 0\.0 s/g)?.length, 2);
  });
  const denied: PushFault = ({ method, response }) => method === "PUT" && !!response.writeHead(403).end('{"errors":[{"code":"DENIED"}]}');
  await withPush(denied, async ({ server, push }) => {
    await assert.rejects(push([SMALL], ["a:1"]), (error) => {
      assert.ok(isTbuildError(error) && error.code === "unauthorized", String(error));
      assert.match(error.message, /^Cannot push blob .*: registry answered 403: DENIED$/);
      assert.equal(error.hint, `A push needs a login that may write: \`tbuild login ${server.host}\``);
      return true;
    });
    assert.equal(sentTo(server, /^PUT/).length, 1);
  });
});

test("push() refuses a registry that says it has stored something else", async () => {
  for (const lies of [/blobs\/uploads/, /manifests/]) {
    const lying: PushFault = ({ method, url, request, response }) => {
      if (method !== "PUT" || !lies.test(url.pathname)) return false;
      request.resume();
      response.writeHead(201, { "docker-content-digest": digestOf("else") }).end();
      return true;
    };
    await withPush(lying, async ({ push }) => {
      await assert.rejects(push([SMALL], ["a:1"]), (error) => hasCode(error, "digest_mismatch"));
    });
  }
});

test("push() follows an upload to another server without taking the login along", async () => {
  const seen: (string | undefined)[] = [];
  let got = 0;
  await using storage = await startFaultyServer((request, response) => {
    seen.push(request.headers.authorization);
    request.on("data", (chunk: Buffer) => (got += chunk.length)).on("end", () => response.writeHead(201).end());
  });
  for (const kind of ["redirect", "location"]) {
    const away: PushFault = ({ method, url, headers, response, request }) => {
      if (headers.authorization === undefined) return !!response.writeHead(401, { "www-authenticate": 'Basic realm="x"' }).end();
      const location = `http://${storage.host}/put?signature=s`;
      if (kind === "location" && method === "POST") return !!response.writeHead(202, { location }).end();
      if (method !== "PUT" || url.pathname.includes("/manifests/")) return false;
      request.resume();
      return !!response.writeHead(307, { location }).end();
    };
    got = 0;
    await withPush(away, async ({ push }) => await push([SMALL], ["a:1"]), { kind: "password", username: "ann", password: "s3cret" });
    assert.equal(got, SMALL.length);
  }
  assert.deepEqual(seen, [undefined, undefined]);
});

test("push() asks for a new token when one has expired, with the right to pull what it mounts", async () => {
  const scopes: string[] = [];
  let valid = "";
  let uses = 0;
  const expiring: PushFault = ({ url, headers, request, response }) => {
    if (url.pathname === "/token") {
      scopes.push(url.searchParams.getAll("scope").join(" "));
      uses = 0;
      return !!response.end(JSON.stringify({ token: (valid = `token-${scopes.length}`) }));
    }
    if (headers.authorization === `Bearer ${valid}` && uses++ < 2) return false;
    request.resume();
    return !!response.writeHead(401, { "www-authenticate": `Bearer realm="http://${headers.host}/token",service="test"` }).end();
  };
  await withPush(expiring, async ({ server, push, logged }) => {
    await push([SMALL], ["a:1"], { origin: "base" });
    assert.ok(server.manifests.has("a 1"));
    assert.ok(scopes.length > 2 && scopes[0] === "repository:a:pull,push", scopes.join());
    assert.ok(scopes.includes("repository:a:pull,push repository:base:pull"), scopes.join());
    assert.doesNotMatch(logged(), /token-/);
  });
});

test("push() stops when its signal is aborted, and ends the upload at the registry", async () => {
  const abort = new AbortController();
  const stalls: PushFault = ({ method, request }) => {
    if (method !== "PUT") return false;
    request.once("data", () => setTimeout(() => abort.abort(), 20));
    return true;
  };
  await withPush(stalls, async ({ server, push }) => {
    await assert.rejects(push([LARGE, SMALL], ["a:1"], { signal: abort.signal }), (error) => hasCode(error, "cancelled"));
    assert.equal(server.manifests.size, 0);
    assert.equal(sentTo(server, /^DELETE/).length, 2);
  });
});

test("push() never shows a login", async () => {
  const refuses: PushFault = ({ response }) => !!response.writeHead(401, { "www-authenticate": 'Basic realm="x"' }).end();
  const held: Credentials = { kind: "password", username: "ann", password: "s3cret" };
  await withPush(refuses, async ({ push, logged }) => {
    await assert.rejects(push([SMALL], ["a:1"]), (error) => {
      assert.ok(isTbuildError(error) && error.code === "unauthorized");
      const shown = `${error.message} ${error.hint} ${String(error.cause)} ${logged()}`;
      assert.doesNotMatch(shown, /s3cret|YW5uOnMzY3JldA/);
      return true;
    });
  }, held);
});

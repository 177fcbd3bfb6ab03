import assert from "node:assert/strict";
import { lstatSync, readdirSync, readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { mountTree } from "../../cache/snapshot/mountTree.js";
import { hasCode, isTbuildError } from "../../cache/errors.js";
import { digestOf } from "../../cache/oci/digest.js";
import type { Store } from "../../cache/store.js";
import { withStore } from "../../cache/testing/store.js";
import { startFaultyServer } from "../../fixtures/registry.js";
import type { StepOpts } from "../../solver/opRunner.js";
import { createTransport } from "../registry/http.js";
import type { SecretSpec } from "../request.js";
import { createSecrets } from "../secrets/createSecrets.js";
import { createHttpSource } from "./http.js";
import { fileNameOf } from "./httpDownload.js";

const opts: StepOpts = {
  signal: new AbortController().signal,
  report: { log() {}, status() {}, statusDone() {}, warn() {} },
};
const LAST_MODIFIED = "Wed, 21 Oct 2015 07:28:00 GMT";

async function withServer(
  handler: (request: IncomingMessage, response: ServerResponse) => void,
  body: (
    resolve: (path: string, attrs?: Record<string, string>) => ReturnType<ReturnType<typeof createHttpSource>["resolve"]>,
    requests: readonly string[],
    store: Store,
  ) => Promise<void>,
  secrets: Readonly<Record<string, string>> = {},
): Promise<void> {
  await using server = await startFaultyServer(handler);
  const transport = createTransport();
  await withStore(async (store) => {
    const source = createHttpSource({ store, transport, secrets: createSecrets(secretFiles(secrets)) });
    const resolve = (path: string, attrs = {}) => source.resolve(
      { identifier: `http://${server.host}${path}`, attrs, platform: null },
      opts,
    );
    await body(resolve, server.requests, store);
  });
  transport.close();
}

function secretFiles(values: Readonly<Record<string, string>>): readonly SecretSpec[] {
  return Object.entries(values).map(([id, value]) => {
    const name = `TBUILD_TEST_${id}`;
    process.env[name] = value;
    return { id, from: { kind: "env", name } };
  });
}

test("snapshot() is one file with Docker's mode and the server's time", async () => {
  await withServer(
    (_, response) => response.setHeader("last-modified", LAST_MODIFIED).end("hello"),
    async (resolve, _, store) => {
      const source = await resolve("/dir/file.txt?x=1", { "http.uid": "7", "http.gid": "8" });
      const ref = await source.snapshot(opts);
      assert.ok(ref.kind === "snapshot" && ref.name !== null);
      await using tree = await mountTree(await store.snapshots.view(ref.name));
      assert.deepEqual(readdirSync(`${tree.path}/.`), ["file.txt"]);
      const { mode, mtimeMs, uid, gid } = lstatSync(`${tree.path}/file.txt`);
      assert.deepEqual([mode & 0o7777, mtimeMs, uid, gid], [0o600, Date.parse(LAST_MODIFIED), 7, 8]);
      assert.equal(readFileSync(`${tree.path}/file.txt`, "utf8"), "hello");
      assert.deepEqual(await source.snapshot(opts), ref);
      const other = await resolve("/dir/file.txt", { "http.perm": "0755", "http.filename": "run" });
      assert.notEqual(other.pin, source.pin);
    },
  );
});

test("resolve() asks whether the file is still the same, and downloads it when it is not", async () => {
  let version = 1;
  const bodies: string[] = [];
  await withServer(
    (request, response) => {
      response.setHeader("etag", `"v${version}"`);
      if (request.headers["if-none-match"] === `"v${version}"`) return void response.writeHead(304).end();
      if (request.method === "GET") bodies.push(`v${version}`);
      response.end(`version ${version}`);
    },
    async (resolve) => {
      const first = await resolve("/f");
      assert.equal((await resolve("/f")).pin, first.pin);
      version = 2;
      assert.notEqual((await resolve("/f")).pin, first.pin);
      assert.deepEqual(bodies, ["v1", "v2"]);
    },
  );
});

test("a server that ignores conditions is asked for its etag first, and what it compresses is undone", async () => {
  const asked: string[] = [];
  await withServer(
    (request, response) => {
      asked.push(`${request.method} ${request.headers["user-agent"]} ${request.headers["accept-encoding"]}`);
      response.writeHead(200, { etag: '"same"', "content-encoding": "gzip" }).end(request.method === "HEAD" ? undefined : gzipSync("hello"));
    },
    async (resolve) => {
      const attrs = { "http.header.User-Agent": "me", "http.header.Cookie": "no" };
      for (let i = 0; i < 2; i++) assert.equal((await resolve("/f", attrs)).attributes["digest"], digestOf("hello"));
      assert.deepEqual(asked, ["GET me gzip", "HEAD me gzip"]);
    },
  );
});

test("a checksum is checked when the file is fetched, and asks nobody before", async () => {
  await withServer(
    (_, response) => response.end("hello"),
    async (resolve, requests) => {
      const good = await resolve("/f", { "http.checksum": digestOf("hello") });
      const bad = await resolve("/g", { "http.checksum": digestOf("other") });
      assert.deepEqual(requests, []);
      await good.snapshot(opts);
      await assert.rejects(bad.snapshot(opts), (error) => hasCode(error, "digest_mismatch"));
      await assert.rejects(resolve("/f", { "http.checksum": "md5:1" }), (error) => hasCode(error, "invalid_digest"));
    },
  );
});

test("resolve() tries again after 503 and a broken connection, and tells of other failures without the query", async () => {
  let calls = 0;
  await withServer(
    (request, response) => {
      if (request.url?.startsWith("/missing")) return void response.writeHead(404).end();
      if (++calls === 1) return void response.writeHead(503, { "retry-after": "0" }).end();
      if (calls === 2) return void response.writeHead(200, { "content-length": 5 }).write("he", () => response.destroy());
      response.end("hello");
    },
    async (resolve) => {
      assert.equal((await resolve("/f")).attributes["digest"], digestOf("hello"));
      await assert.rejects(resolve("/missing?token=s3cret"), (error) => {
        assert.ok(isTbuildError(error) && error.code === "not_found");
        assert.ok(!error.message.includes("s3cret"), error.message);
        return true;
      });
    },
  );
});

test("a download that breaks off goes on where it was, unless the file has changed meanwhile", async () => {
  const text = "0123456789".repeat(1000);
  for (const [changes, expected] of [[false, text], [true, text.replaceAll("0", "x")]] as const) {
    const ranges: (string | undefined)[] = [];
    await withServer(
      (request, response) => {
        const { range } = request.headers;
        ranges.push(range);
        response.setHeader("etag", ranges.length > 1 && changes ? '"b"' : '"a"');
        if (ranges.length === 1) return void response.writeHead(200, { "content-length": text.length }).write(text.slice(0, 4000), () => setTimeout(() => response.destroy(), 50));
        if (changes) return void response.end(expected);
        assert.equal(request.headers["if-range"], '"a"');
        response.writeHead(206, { "content-range": `bytes 4000-9999/10000` }).end(text.slice(4000));
      },
      async (resolve) => {
        assert.equal((await resolve("/f")).attributes["digest"], digestOf(expected));
        assert.deepEqual(ranges, [undefined, "bytes=4000-"]);
      },
    );
  }
});

test("a server that answers with another part than the one asked for gives no file", async () => {
  let calls = 0;
  await withServer(
    (_, response) => {
      response.setHeader("etag", '"a"');
      if (++calls === 1) return void response.writeHead(200, { "content-length": 10 }).write("01234", () => setTimeout(() => response.destroy(), 50));
      response.writeHead(206, { "content-range": "bytes 0-9/10" }).end("0123456789");
    },
    async (resolve) => assert.rejects(resolve("/f"), (error) => hasCode(error, "unavailable")),
  );
});

test("secrets of a host are its authorization, and are in no message", async () => {
  const seen: (string | undefined)[] = [];
  const server = (request: IncomingMessage, response: ServerResponse) => {
    seen.push(request.headers.authorization);
    if (request.url === "/no") return void response.writeHead(403).end();
    response.end("x");
  };
  await withServer(server, async (resolve) => {
    await resolve("/f");
    await resolve("/g", { "http.authheadersecret": "mine" });
    await assert.rejects(resolve("/no"), (error) => isTbuildError(error) && error.code === "unauthorized" && !error.message.includes("t0ken"));
  }, { "HTTP_AUTH_TOKEN_127.0.0.1": "t0ken", mine: "Basic abc" });
  assert.deepEqual(seen, ["Bearer t0ken", "Basic abc", "Bearer t0ken"]);
});

test("fileNameOf() takes the last component of what the server or the URL says", () => {
  const name = (url: string, disposition?: string) => fileNameOf(new URL(url), disposition);
  assert.equal(name("https://a.example/x/y.tgz"), "y.tgz");
  assert.equal(name("https://a.example/a%20b"), "a b");
  assert.equal(name("https://a.example/"), "download");
  assert.equal(name("https://a.example/x", 'attachment; filename="z;1.txt"'), "z;1.txt");
  assert.equal(name("https://a.example/x", "attachment; filename*=UTF-8''%C3%BC.txt"), "ü.txt");
  assert.equal(name("https://a.example/x", 'attachment; filename="../../etc/passwd"'), "passwd");
  assert.equal(name("https://a.example/x", 'attachment; filename=".."'), "x");
  assert.equal(name("https://a.example/x%2f..%2f.."), "download");
});

import assert from "node:assert/strict";
import { existsSync, statSync } from "node:fs";
import { test } from "node:test";
import * as grpc from "@grpc/grpc-js";
import { hasCode } from "../../cache/errors.js";
import { diskUsage } from "../../cache/usage.js";
import { testDaemon } from "../../fixtures/testDaemon.js";
import { status as statusMessage } from "../api/common.js";
import { contentService } from "../api/content.js";
import { controlService } from "../api/control.js";
import type { StatusInput } from "../api/status.js";
import { gatewayService } from "../api/gateway.js";
import { healthService, SERVING } from "../api/health.js";
import type { SessionOffer } from "../session/sessionHeaders.js";
import { createSessions } from "../session/sessions.js";
import { parseAddress } from "./address.js";
import { openEmptyBuild } from "./daemonBuild.js";

const build = (ref: string) => ({ "buildkit-controlapi-buildid": ref });
const failsWith = (code: number, pattern = /./) => (error: grpc.ServiceError) => {
  assert.equal(error.code, code, error.message);
  assert.match(error.details, pattern);
  return true;
};

/** It is waited for further down. */
function later<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}

async function all<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const values: T[] = [];
  for await (const value of stream) values.push(value);
  return values;
}

test("startDaemon() tells its version, its worker and that it is well", async () => {
  await using peer = await testDaemon();
  const { client } = peer;
  assert.deepEqual((await client.unary(controlService, "Info", {})).buildkitVersion?.version, "v1");
  const { record } = await client.unary(controlService, "ListWorkers", {});
  assert.deepEqual(record.map(({ id, platforms }) => ({ id, platforms })), [{ id: "worker-1", platforms: [{ os: "linux", architecture: "amd64" }] }]);
  assert.equal((await client.unary(healthService, "Check", {})).status, SERVING);
});

test("ListWorkers lists the workers that a filter names", async () => {
  await using peer = await testDaemon();
  const count = async (filter: string) => (await peer.client.unary(controlService, "ListWorkers", { filter: [filter] })).record.length;
  assert.equal(await count("id==worker-1"), 1);
  assert.equal(await count('labels."com.example.a"==b'), 1);
  assert.equal(await count("id~=nothing"), 0);
  await assert.rejects(count("id=="), failsWith(grpc.status.INVALID_ARGUMENT, /Cannot read filter "id=="/));
});

test("Solve answers a client that runs its frontend itself and wants nothing built", async () => {
  await using peer = await testDaemon();
  const { client } = peer;
  // All at once, as clients do: whatever comes first waits for the others.
  const progress = all(client.stream(controlService, "Status", { ref: "probe" }));
  const pong = client.unary(gatewayService, "Ping", {}, build("probe"));
  const solved = client.unary(controlService, "Solve", { ref: "probe", internal: true });
  const { frontendApiCaps, llbCaps, workers } = await pong;
  assert.ok(frontendApiCaps.some(({ id, enabled }) => id === "solve.base" && enabled));
  assert.ok(llbCaps.some(({ id }) => id === "file.base"));
  assert.equal(workers[0]?.id, "worker-1");
  const metadata = { "frontend.x": Buffer.from("y"), other: Buffer.from("z") };
  await client.unary(gatewayService, "Return", { result: { metadata } }, build("probe"));
  assert.deepEqual((await solved).exporterResponse, { "frontend.x": "y" });
  assert.deepEqual(await progress, []);
  await assert.rejects(client.unary(gatewayService, "Return", {}, build("probe")), failsWith(grpc.status.INVALID_ARGUMENT, /has one already/));
});

test("Solve fails with the error that the client's frontend returns, details and all", async () => {
  await using peer = await testDaemon();
  const solved = later(peer.client.unary(controlService, "Solve", { ref: "r" }));
  const details = [{ typeUrl: "github.com/moby/buildkit/errdefs.Vertex+json", value: Buffer.from('{"digest":"d"}') }];
  const returned = peer.client.unary(gatewayService, "Return", { error: { code: grpc.status.NOT_FOUND, message: "no ö", details } }, build("r"));
  await assert.rejects(solved, (error: grpc.ServiceError) => {
    const [bytes] = error.metadata.get("grpc-status-details-bin");
    const status = statusMessage.decode(bytes as Buffer);
    assert.deepEqual({ ...status, details: status.details.map((one) => ({ ...one, value: Buffer.from(one.value) })) }, { code: 5, message: "no ö", details });
    return failsWith(grpc.status.NOT_FOUND, /^no ö$/)(error);
  });
  await returned;
});

test("Solve refuses a result with references, a frontend and a second build of the same ref", async () => {
  await using peer = await testDaemon();
  const { client } = peer;
  const first = later(client.unary(controlService, "Solve", { ref: "r" }));
  await client.unary(gatewayService, "Ping", {}, build("r"));
  await assert.rejects(client.unary(controlService, "Solve", { ref: "r" }), failsWith(grpc.status.ALREADY_EXISTS));
  await client.unary(gatewayService, "Return", { result: { ref: { id: "1" } } }, build("r"));
  await assert.rejects(first, failsWith(grpc.status.UNIMPLEMENTED));
  await assert.rejects(client.unary(controlService, "Solve", { ref: "s", frontend: "dockerfile.v0" }), failsWith(grpc.status.UNIMPLEMENTED, /runs no frontend/));
});

test("the bridge needs to be told which build is meant", async () => {
  await using peer = await testDaemon();
  await assert.rejects(peer.client.unary(gatewayService, "Ping", {}), failsWith(grpc.status.INVALID_ARGUMENT, /no buildid found in context/));
  const twice = { "buildkit-controlapi-buildid": ["a", "b"] };
  await assert.rejects(peer.client.unary(gatewayService, "Ping", {}, twice), failsWith(grpc.status.INVALID_ARGUMENT, /several/));
});

test("Solve ends a build when its client goes", async () => {
  const { promise: aborted, resolve } = deferred();
  await using peer = await testDaemon({
    openBuild: (_request, job) => {
      job.signal.addEventListener("abort", resolve);
      return openEmptyBuild();
    },
  });
  const abort = new AbortController();
  const solved = later(peer.client.unary(controlService, "Solve", { ref: "r" }, {}, abort.signal));
  await peer.client.unary(gatewayService, "Ping", {}, build("r"));
  abort.abort();
  await assert.rejects(solved, failsWith(grpc.status.CANCELLED));
  await aborted;
});

test("Status tells several readers all of a build, from its begin to its end", async () => {
  const digest = `sha256:${"a".repeat(64)}` as const;
  await using peer = await testDaemon({
    openBuild: async (_request, job) => {
      job.report({ type: "vertex", vertex: digest as never, name: "[1/1] RUN x", inputs: [], at: 1000 });
      job.report({ type: "started", vertex: digest as never, at: 2000 });
      return await openEmptyBuild();
    },
  });
  const { client } = peer;
  const readers = [all(client.stream(controlService, "Status", { ref: "r" })), all(client.stream(controlService, "Status", { ref: "r" }))];
  const solved = client.unary(controlService, "Solve", { ref: "r" });
  await client.unary(gatewayService, "Return", {}, build("r"));
  await solved;
  readers.push(all(client.stream(controlService, "Status", { ref: "r" })));
  for (const messages of await Promise.all(readers)) {
    const last = (messages as StatusInput[]).flatMap(({ vertexes = [] }) => vertexes).at(-1);
    assert.equal(last?.name, "[1/1] RUN x");
    assert.equal(last.started, 2000);
    assert.equal(last.error, "context canceled");
    assert.ok((last.completed ?? 0) > 2000);
  }
});

test("Session hands over the client's bytes and headers, and takes bytes back", async () => {
  const heard: SessionOffer[] = [];
  await using peer = await testDaemon({
    sessions: {
      ...createSessions(),
      async serve(stream, offer) {
        heard.push(offer);
        for await (const chunk of stream.iterator({ destroyOnReturn: false })) if (!stream.write(chunk)) await new Promise((resolve) => stream.once("drain", resolve));
        stream.end();
      },
    },
  });
  const methods = ["/a.B/C", "/d.E/F"];
  const session = peer.client.bidi(controlService, "Session", { "x-docker-expose-session-uuid": "id", "X-Docker-Expose-Session-Grpc-Method": methods });
  const sent = Buffer.alloc(300_000, "0123456789");
  session.write({ data: new Uint8Array() });
  for (let at = 0; at < sent.length; at += 7001) session.write({ data: sent.subarray(at, at + 7001) });
  session.end();
  const received = await all(session);
  assert.ok(sent.equals(Buffer.concat(received.map(({ data }) => data))));
  assert.equal(heard[0]?.id, "id");
  assert.deepEqual([...(heard[0]?.methods ?? [])], ["/a.b/c", "/d.e/f"]);
});

test("Session ends for both when the daemon is done with it, or fails", async () => {
  await using peer = await testDaemon({
    sessions: {
      ...createSessions(),
      async serve(stream) {
        stream.end("bye");
        await new Promise((resolve) => stream.once("finish", resolve));
        throw new Error("no more");
      },
    },
  });
  const session = peer.client.bidi(controlService, "Session");
  const pieces: Uint8Array[] = [];
  await assert.rejects(async () => {
    for await (const { data } of session) pieces.push(data);
  }, failsWith(grpc.status.INTERNAL, /no more/));
  assert.equal(Buffer.concat(pieces).toString(), "bye");
});

test("Content reads blobs of the store, whole and in part", async () => {
  await using peer = await testDaemon();
  const { client, store } = peer;
  await using ingest = await store.content.ingest("x");
  const bytes = Buffer.alloc(3 * 2 ** 20 + 5, "abcdefg");
  await ingest.write(bytes);
  const { digest } = await ingest.commit();
  const read = async (offset: number, size: number) => Buffer.concat((await all(client.stream(contentService, "Read", { digest, offset, size }))).map(({ data }) => data));
  assert.equal((await client.unary(contentService, "Info", { digest })).info?.size, bytes.length);
  assert.ok(bytes.equals(await read(0, 0)));
  assert.ok(bytes.subarray(2 ** 20 - 1, 2 ** 21 + 1).equals(await read(2 ** 20 - 1, 2 ** 20 + 2)));
  await assert.rejects(read(bytes.length + 1, 0), failsWith(grpc.status.INVALID_ARGUMENT));
  const missing = `sha256:${"0".repeat(64)}`;
  await assert.rejects(client.unary(contentService, "Info", { digest: missing }), failsWith(grpc.status.NOT_FOUND));
  await assert.rejects(client.unary(contentService, "Info", { digest: "../x" }), failsWith(grpc.status.INVALID_ARGUMENT));
});

test("DiskUsage and Prune tell of what is there and what went, by filter", async () => {
  await using peer = await testDaemon();
  const { client, store } = peer;
  for (const text of ["one", "two"]) {
    await using ingest = await store.content.ingest(text);
    await ingest.write(Buffer.from(text));
    await ingest.commit();
  }
  const { record } = await client.unary(controlService, "DiskUsage", {});
  assert.equal(record.length, 2);
  const listed = (await all(client.stream(contentService, "List", {}))) as readonly { readonly info: readonly { readonly digest: string }[] }[];
  assert.deepEqual(listed.flatMap(({ info }) => info.map(({ digest }) => `blob:${digest}`)).sort(), record.map(({ id }) => id).sort());
  await assert.rejects(all(client.stream(contentService, "List", { filters: ["x"] })), failsWith(grpc.status.UNIMPLEMENTED));
  const [first] = record;
  assert.deepEqual(((await client.unary(controlService, "DiskUsage", { filter: [`id==${first!.id}`] })).record).map(({ id }) => id), [first!.id]);
  assert.deepEqual((await client.unary(controlService, "DiskUsage", { ageLimit: 3_600e9 })).record, []);
  const removed = await all(client.stream(controlService, "Prune", {}));
  assert.deepEqual(removed.map(({ id }) => id).sort(), record.map(({ id }) => id).sort());
  assert.deepEqual((await client.unary(controlService, "DiskUsage", {})).record, []);
});

test("a daemon collects after builds, having let go of what they used", async () => {
  const { promise: collected, resolve } = deferred();
  let held = -1;
  await using peer = await testDaemon({
    collect: async () => {
      held = (await diskUsage(peer.store)).filter(({ inUse }) => inUse).length;
      resolve();
      return { removed: [], freedBytes: 0 };
    },
  });
  const { client, store } = peer;
  await using ingest = await store.content.ingest("x");
  await ingest.write(Buffer.from("used"));
  await ingest.commit();
  const solved = client.unary(controlService, "Solve", { ref: "r", internal: true });
  await client.unary(gatewayService, "Return", {}, build("r"));
  await solved;
  await collected;
  assert.equal(held, 0);
});

test("DiskUsage is empty after a prune of all, whatever the history keeps", async () => {
  await using peer = await testDaemon();
  const { client, store } = peer;
  const solved = client.unary(controlService, "Solve", { ref: "r" });
  await client.unary(gatewayService, "Return", {}, build("r"));
  await solved;
  await client.unary(controlService, "UpdateBuildHistory", { ref: "r", finalize: true });
  assert.notEqual(store.meta.builds.get("r")?.trace, undefined);
  await all(client.stream(controlService, "Prune", { all: true }));
  assert.deepEqual((await client.unary(controlService, "DiskUsage", {})).record, []);
});

test("Prune removes of what a filter is about as much as its limits say", async () => {
  await using peer = await testDaemon();
  const { client, store } = peer;
  for (const text of ["one", "two", "three"]) {
    await using ingest = await store.content.ingest(text);
    await ingest.write(Buffer.from(text));
    await ingest.commit();
  }
  const removed = async (request: object) => (await all(client.stream(controlService, "Prune", request))).length;
  assert.equal(await removed({ filter: ["type==exec.cachemount"] }), 0);
  assert.equal(await removed({ keepDuration: 3_600e9 }), 0);
  assert.equal(await removed({ maxUsedSpace: 2 ** 40, minFreeSpace: 1 }), 0);
  assert.equal(await removed({ filter: ["type==regular"], maxUsedSpace: 2 * 4096 }), 1);
  await assert.rejects(removed({ filter: ["type=="] }), failsWith(grpc.status.INVALID_ARGUMENT));
  assert.equal(await removed({ reservedSpace: 1 }), 2);
});

test("stop() removes the socket, and cancels a build that does not end", async () => {
  await using peer = await testDaemon();
  assert.equal(statSync(peer.socket).mode & 0o777, 0o660);
  const solved = later(peer.client.unary(controlService, "Solve", { ref: "r" }));
  await peer.client.unary(gatewayService, "Ping", {}, build("r"));
  const stopped = peer.daemon.stop(50);
  assert.equal(existsSync(peer.socket), false);
  await assert.rejects(peer.client.unary(controlService, "Solve", { ref: "late" }), failsWith(grpc.status.UNAVAILABLE, /stopping/));
  await assert.rejects(solved, failsWith(grpc.status.CANCELLED));
  await stopped;
});

test("startDaemon() refuses the socket of a daemon that runs, and takes one that was left behind", async () => {
  await using peer = await testDaemon();
  const again = { addresses: [parseAddress(`unix://${peer.socket}`)] };
  await assert.rejects(testDaemon(again), (error) => hasCode(error, "unavailable"));
  assert.ok(existsSync(peer.socket));
});

function deferred(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve!: () => void;
  const promise = new Promise<void>((settle) => (resolve = settle));
  return { promise, resolve };
}

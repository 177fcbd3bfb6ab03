import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import * as grpc from "@grpc/grpc-js";
import { prune } from "../../../cache/prune.js";
import { digestOf, parseDigest } from "../../../cache/oci/digest.js";
import { testDaemon, type TestDaemon } from "../../../fixtures/testDaemon.js";
import { status as statusMessage } from "../../api/common.js";
import { contentService } from "../../api/content.js";
import { controlService } from "../../api/control.js";
import { gatewayService } from "../../api/gateway.js";
import { type BuildHistoryEventInput, eventType } from "../../api/history.js";
import { openEmptyBuild, type OpenBuild } from "../daemonBuild.js";

const STEP = digestOf("step");
const failsWith = (code: grpc.status) => (error: grpc.ServiceError) => error.code === code;

/** One step with a line of output. */
const openTalking: OpenBuild = async ({ ref }, job) => {
  job.report({ type: "vertex", vertex: STEP, name: `step of ${ref}`, inputs: [], at: 1000 });
  job.report({ type: "started", vertex: STEP, at: 2000 });
  job.report({ type: "log", vertex: STEP, stream: 1, at: 2500, bytes: Buffer.from(`hello ${ref}`) });
  job.report({ type: "completed", vertex: STEP, cached: true, error: null, at: 3000 });
  return await openEmptyBuild();
};

async function all<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const values: T[] = [];
  for await (const value of stream) values.push(value);
  return values;
}

type Request = Parameters<typeof controlService.methods.ListenBuildHistory.request.encode>[0];

async function listed({ client }: TestDaemon, request: Request = {}): Promise<readonly BuildHistoryEventInput[]> {
  return await all(client.stream(controlService, "ListenBuildHistory", { ...request, earlyExit: true }));
}

async function refs(peer: TestDaemon, request: Request = {}): Promise<string> {
  return (await listed(peer, request)).map(({ type, record }) => `${["started", "complete", "deleted"][type ?? 0]} ${record?.ref}`).join(", ");
}

const bridge = (ref: string) => ({ "buildkit-controlapi-buildid": ref });

async function build({ client }: TestDaemon, ref: string, error?: { readonly code: grpc.status; readonly message: string }): Promise<void> {
  const solved = client.unary(controlService, "Solve", { ref, frontendAttrs: { target: "t", context: "https://user:token@h/x.git" }, exporters: [{ type: "image", attrs: { name: "n" } }] });
  solved.catch(() => {});
  const returned = error === undefined ? { result: { metadata: { "frontend.x": Buffer.from("y") } } } : { error: { ...error, details: [{ typeUrl: "t", value: Buffer.from("d") }] } };
  await client.unary(gatewayService, "Return", returned, bridge(ref));
  await solved.catch((failed: grpc.ServiceError) => assert.equal(failed.code, error?.code));
}

/** Starts a build that runs until it is returned or cancelled. */
async function begin({ client }: TestDaemon, ref: string, further: { readonly internal?: boolean } = {}): Promise<AbortController> {
  const abort = new AbortController();
  client.unary(controlService, "Solve", { ref, ...further }, {}, abort.signal).catch(() => {});
  await client.unary(gatewayService, "Ping", {}, bridge(ref));
  return abort;
}

async function blobOf({ client }: TestDaemon, digest: string): Promise<Buffer> {
  return Buffer.concat((await all(client.stream(contentService, "Read", { digest }))).map(({ data }) => data));
}

test("a build that succeeded is recorded, with what was asked, what came of it and what it told", async () => {
  await using peer = await testDaemon({ openBuild: openTalking });
  const before = Date.now();
  await build(peer, "r");
  const [event, ...others] = await listed(peer, { ref: "r" });
  assert.equal(others.length, 0);
  assert.equal(event?.type, eventType.complete);
  const { createdAt, completedAt, logs, ...record } = event.record!;
  assert.ok(before <= createdAt! && createdAt! <= completedAt! && completedAt! <= Date.now());
  assert.equal(logs?.mediaType, "application/vnd.buildkit.status.v0");
  assert.equal((await blobOf(peer, logs.digest!)).length, logs.size);
  assert.deepEqual(record, {
    ref: "r",
    frontend: "",
    frontendAttrs: { target: "t", context: "https://***@h/x.git" },
    exporters: [{ type: "image", attrs: { name: "n" } }],
    error: null,
    exporterResponse: { "frontend.x": "y" },
    result: null,
    results: {},
    generation: 0,
    trace: null,
    pinned: false,
    numCachedSteps: 1,
    numTotalSteps: 1,
    numCompletedSteps: 1,
    externalError: null,
    numWarnings: 0,
  });
});

test("Status of a build that has ended tells all of it again, after a restart as well", async () => {
  await using peer = await testDaemon({ openBuild: openTalking });
  await build(peer, "r");
  const told = await all(peer.client.stream(controlService, "Status", { ref: "r" }));
  await using next = await testDaemon({ store: peer.store });
  assert.equal(await refs(next), "complete r");
  const again = await all(next.client.stream(controlService, "Status", { ref: "r" }));
  assert.deepEqual(again, told);
  assert.deepEqual(again.flatMap(({ vertexes }) => vertexes).at(-1)?.completed, 3000);
  assert.equal(Buffer.from(again.flatMap(({ logs }) => logs)[0]!.msg).toString(), "hello r");
});

test("a build that failed is recorded with its error, and the error's details in a blob", async () => {
  await using peer = await testDaemon({ openBuild: openTalking });
  await build(peer, "bad", { code: grpc.status.NOT_FOUND, message: "no such thing" });
  const record = (await listed(peer))[0]?.record;
  assert.deepEqual(record?.error, { code: grpc.status.NOT_FOUND, message: "no such thing", details: [] });
  const { details, message } = statusMessage.decode(await blobOf(peer, record.externalError!.digest!));
  assert.deepEqual([message, details[0]?.typeUrl], ["no such thing", "t"]);
  assert.equal(record.numTotalSteps, 1);
  assert.equal(await refs(peer, { filter: ["status==error"] }), "complete bad");
});

test("a build that was cancelled is recorded as that, and one of the client's own business not at all", async () => {
  await using peer = await testDaemon();
  const heard = peer.client.stream(controlService, "ListenBuildHistory", {});
  (await begin(peer, "mine", { internal: true })).abort();
  const abort = await begin(peer, "r");
  assert.equal(await refs(peer), "started r");
  abort.abort();
  const types: number[] = [];
  for await (const { type, record } of heard) {
    assert.equal(record?.ref, "r");
    if (types.push(type) === 2) break;
  }
  assert.deepEqual(types, [eventType.started, eventType.complete]);
  assert.equal(await refs(peer, { filter: ["status==canceled"] }), "complete r");
  assert.match((await listed(peer))[0]!.record!.error!.message!, /context canceled/);
});

test("ListenBuildHistory tells of builds that run, that have ended, or of one", async () => {
  await using peer = await testDaemon();
  for (const ref of ["a", "b", "c"]) await build(peer, ref);
  await begin(peer, "z");
  assert.equal(await refs(peer), "started z, complete a, complete b, complete c");
  assert.equal(await refs(peer, { activeOnly: true }), "started z");
  assert.equal(await refs(peer, { ref: "b" }), "complete b");
  assert.equal(await refs(peer, { activeOnly: true, ref: "buildx-test-history-api-feature" }), "");
  assert.equal(await refs(peer, { limit: 2 }), "started z, complete c, complete b");
  assert.equal(await refs(peer, { filter: ["ref==a", "ref==c"] }), "started z, complete a, complete c");
  await assert.rejects(refs(peer, { filter: ["ref=="] }), failsWith(grpc.status.INVALID_ARGUMENT));
  await assert.rejects(refs(peer, { limit: -1 }), failsWith(grpc.status.INVALID_ARGUMENT));
});

test("ListenBuildHistory tells all listeners the same, each what it asked for, until the daemon stops", async () => {
  await using peer = await testDaemon();
  const listen = (request: Request) => all(peer.client.stream(controlService, "ListenBuildHistory", request));
  const listeners = [listen({}), listen({ activeOnly: true }), listen({ ref: "b" })];
  // Their calls are there when a later one has been answered.
  await refs(peer);
  await Promise.all([build(peer, "a"), build(peer, "b")]);
  await peer.client.unary(controlService, "UpdateBuildHistory", { ref: "b", pinned: true });
  await peer.client.unary(controlService, "UpdateBuildHistory", { ref: "b", delete: true });
  await peer.daemon.stop(1000);
  const [one, two, three] = await Promise.all(listeners);
  assert.equal(one?.length, 6);
  assert.deepEqual(two, one);
  assert.deepEqual(three, one.filter(({ record }) => record?.ref === "b"));
  assert.deepEqual(three?.map(({ type, record }) => [type, record?.pinned, record?.generation]), [[0, false, 0], [1, false, 0], [1, true, 1], [2, false, 0]]);
});

test("ListenBuildHistory and Status tell the daemon's time", async () => {
  await using peer = await testDaemon();
  const call = peer.client.stream(controlService, "ListenBuildHistory", { earlyExit: true });
  const header = new Promise<grpc.Metadata>((resolve) => void call.on("metadata", resolve));
  await all(call);
  assert.ok(Math.abs(Date.parse(String((await header).get("buildkit-current-timestamp")[0])) - Date.now()) < 60_000);
});

test("blobs of a record stay for as long as it does", async () => {
  await using peer = await testDaemon({ openBuild: openTalking });
  await build(peer, "a");
  await build(peer, "b");
  const logs = (await listed(peer)).map(({ record }) => peer.store.content.pathOf(parseDigest(record!.logs!.digest!)));
  await all(peer.client.stream(controlService, "Prune", { all: true }));
  assert.deepEqual(logs.map(existsSync), [true, true]);
  await peer.client.unary(controlService, "UpdateBuildHistory", { ref: "a", delete: true });
  assert.deepEqual(logs.map(existsSync), [false, true]);
  assert.equal(await refs(peer), "complete b");
  await prune(peer.store);
  assert.deepEqual(logs.map(existsSync), [false, true]);
});

test("UpdateBuildHistory refuses records that are not there, or not yet, and has nothing to finish", async () => {
  await using peer = await testDaemon();
  const update = (request: { readonly delete?: boolean; readonly pinned?: boolean; readonly finalize?: boolean }) =>
    peer.client.unary(controlService, "UpdateBuildHistory", { ref: "r", ...request });
  await assert.rejects(update({ delete: true }), failsWith(grpc.status.NOT_FOUND));
  await assert.rejects(update({ pinned: true }), failsWith(grpc.status.NOT_FOUND));
  await update({ finalize: true });
  await begin(peer, "r");
  await assert.rejects(update({ delete: true }), failsWith(grpc.status.UNAVAILABLE));
});

test("records beyond what is kept go, with a word to listeners, unless they are pinned", async () => {
  await using peer = await testDaemon({ openBuild: openTalking, retention: { maxAgeMs: -1, maxEntries: 1, maxBytes: 2 ** 20 } });
  await build(peer, "a");
  await peer.client.unary(controlService, "UpdateBuildHistory", { ref: "a", pinned: true });
  await build(peer, "b");
  const call = peer.client.stream(controlService, "ListenBuildHistory", { ref: "b" });
  const heard = (async () => {
    for await (const { type } of call) if (type === eventType.deleted) return;
  })();
  await build(peer, "c");
  await heard;
  assert.equal(await refs(peer), "complete a, complete c");
});

test("a daemon lets go of what has grown too old while it was not there", async () => {
  await using peer = await testDaemon({ openBuild: openTalking });
  await build(peer, "a");
  await using next = await testDaemon({ store: peer.store, retention: { maxAgeMs: -1, maxEntries: 0, maxBytes: 0 } });
  await next.daemon.stop(0);
  assert.equal(await refs(peer), "");
});

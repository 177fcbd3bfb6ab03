import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { parseDigest, digestOf } from "../../../cache/oci/digest.js";
import { testDaemon, type TestDaemon } from "../../../fixtures/testDaemon.js";
import { controlService } from "../../api/control.js";
import { gatewayService } from "../../api/gateway.js";
import { resourceSpans, type Span, traceRequest, traceService } from "../../api/trace.js";
import { openEmptyBuild, type OpenBuild } from "../daemonBuild.js";
import { hex } from "./spanStub.js";

interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly spans: readonly (Span & { readonly service: string })[];
}

/** A collector that remembers what it is sent. */
async function collector() {
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { resourceSpans: all } = traceRequest.decode(Buffer.concat(chunks));
    const spans = all.map((bytes) => resourceSpans.decode(bytes)).flatMap(({ resource, scopeSpans }) => {
      const service = String(resource?.attributes.find(({ key }) => key === "service.name")?.value);
      return scopeSpans.flatMap((scope) => scope.spans.map((span) => ({ ...span, service })));
    });
    received.push({ path: request.url ?? "", headers: request.headers, spans });
    response.end();
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/traces`,
    received,
    spans: () => received.flatMap(({ spans }) => spans),
    [Symbol.asyncDispose]: async () => void (await once(server.close(), "close")),
  };
}

const STEP = digestOf("step");
const TRACE = "0af7651916cd43dd8448eb211c80319c";
const PARENT = "b7ad6b7169203331";

const openOneStep: OpenBuild = async (_request, job) => {
  job.report({ type: "vertex", vertex: STEP, name: "[1/1] RUN x", inputs: [], at: 1000 });
  job.report({ type: "vertex", vertex: digestOf("unneeded"), name: "unneeded", inputs: [], at: 1000 });
  job.report({ type: "started", vertex: STEP, at: 2000 });
  job.report({ type: "completed", vertex: STEP, cached: true, error: "broke", at: 3000 });
  return await openEmptyBuild();
};

async function all<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const values: T[] = [];
  for await (const value of stream) values.push(value);
  return values;
}

async function build({ client }: TestDaemon, ref: string, headers: Readonly<Record<string, string>> = {}): Promise<void> {
  const solved = client.unary(controlService, "Solve", { ref }, headers);
  await client.unary(gatewayService, "Return", {}, { "buildkit-controlapi-buildid": ref });
  await solved;
}

const clientSpans = resourceSpans.encode({
  resource: { attributes: [{ key: "service.name", value: "buildx" }] },
  scopeSpans: [{ spans: [{ traceId: Buffer.from(TRACE, "hex"), spanId: Buffer.from(PARENT, "hex"), name: "bake", kind: 1, start: 1n, end: 2n ** 62n, attributes: [{ key: "n", value: -7n }, { key: "b", value: true }] }] }],
});

test("spans of a build and of its client reach the collector, as one trace", async () => {
  await using target = await collector();
  const peer = await testDaemon({ openBuild: openOneStep, collector: { url: target.url, headers: { authorization: "Bearer x" } } });
  {
    await using _daemon = peer;
    await build(peer, "r", { traceparent: `00-${TRACE}-${PARENT}-01` });
    await peer.client.unary(traceService, "Export", { resourceSpans: [clientSpans] });
    await peer.client.unary(controlService, "UpdateBuildHistory", { ref: "r", finalize: true });
  }
  const spans = new Map(target.spans().map((span) => [span.name, span]));
  assert.deepEqual([...spans.keys()].sort(), ["[1/1] RUN x", "bake", "moby.buildkit.v1.Control/Solve"]);
  const [solve, step, bake] = [spans.get("moby.buildkit.v1.Control/Solve")!, spans.get("[1/1] RUN x")!, spans.get("bake")!];
  assert.deepEqual([solve, step, bake].map(({ traceId }) => hex(traceId)), [TRACE, TRACE, TRACE]);
  assert.deepEqual([hex(solve.parentSpanId), hex(step.parentSpanId)], [PARENT, hex(solve.spanId)]);
  assert.deepEqual([solve.service, bake.service], ["tbuildd", "buildx"]);
  assert.deepEqual([step.start, step.end], [2_000_000_000n, 3_000_000_000n]);
  assert.deepEqual(step.status, { code: 2, message: "broke" });
  assert.deepEqual(bake.attributes, [{ key: "n", value: -7n }, { key: "b", value: true }]);
  assert.equal(target.received[0]?.headers["authorization"], "Bearer x");
  assert.equal(target.received[0]?.headers["content-type"], "application/x-protobuf");
  assert.equal(target.received[0]?.path, "/v1/traces");
});

test("the history keeps a build's trace, also that of its client, in BuildKit's form", async () => {
  await using peer = await testDaemon({ openBuild: openOneStep });
  const { client, store } = peer;
  await build(peer, "r", { traceparent: `00-${TRACE}-${PARENT}-01` });
  await client.unary(traceService, "Export", { resourceSpans: [clientSpans] });
  await client.unary(controlService, "UpdateBuildHistory", { ref: "r", finalize: true });
  const [event] = await all(client.stream(controlService, "ListenBuildHistory", { ref: "r", earlyExit: true }));
  const trace = event?.record?.trace;
  assert.equal(trace?.mediaType, "application/vnd.buildkit.otlp.json.v0");
  const bytes = await all(store.content.read(parseDigest(trace.digest), {}));
  const stubs = Buffer.concat(bytes).toString().trim().split("\n").map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.deepEqual(stubs.map(({ Name }) => Name).sort(), ["[1/1] RUN x", "bake", "moby.buildkit.v1.Control/Solve"]);
  const step = stubs.find(({ Name }) => Name === "[1/1] RUN x")!;
  assert.equal(step["StartTime"], "1970-01-01T00:00:02.000000000Z");
  assert.deepEqual(step["Status"], { Code: "Error", Description: "broke" });
  assert.deepEqual((step["SpanContext"] as { TraceID: string }).TraceID, TRACE);
  await client.unary(controlService, "UpdateBuildHistory", { ref: "r", delete: true });
  assert.equal((await store.content.info(parseDigest(trace.digest)).catch(() => null)), null);
});

test("a collector that is not there, or refuses, keeps no build waiting", async () => {
  const errors: unknown[] = [];
  const peer = await testDaemon({
    openBuild: openOneStep,
    collector: { url: "http://127.0.0.1:1/v1/traces", headers: {} },
    onError: (path, error) => void (path === "traces" && errors.push(error)),
  });
  {
    await using _daemon = peer;
    await build(peer, "a");
    await build(peer, "b");
  }
  assert.equal(errors.length, 1);
});

test("builds that nobody finalizes get their trace a while after their end", async () => {
  await using peer = await testDaemon({ openBuild: openOneStep });
  await build(peer, "r");
  for (let tries = 0; tries < 100 && peer.store.meta.builds.get("r")?.trace === undefined; tries++) await delay(100);
  assert.notEqual(peer.store.meta.builds.get("r")?.trace, undefined);
});

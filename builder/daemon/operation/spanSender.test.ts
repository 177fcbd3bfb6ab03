import assert from "node:assert/strict";
import { test } from "node:test";
import { collectorOf } from "./spanSender.js";
import { traceParent } from "./buildSpans.js";

function collector(env: NodeJS.ProcessEnv): readonly [ReturnType<typeof collectorOf>, readonly string[]] {
  const warnings: string[] = [];
  return [collectorOf(env, (warning) => warnings.push(warning)), warnings];
}

test("collectorOf() reads OpenTelemetry's environment", () => {
  assert.deepEqual(collector({}), [null, []]);
  assert.deepEqual(collector({ OTEL_EXPORTER_OTLP_ENDPOINT: "http://c:4318/" }), [{ url: "http://c:4318/v1/traces", headers: {} }, []]);
  const own = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://c", OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "https://t/x", OTEL_EXPORTER_OTLP_HEADERS: "a=b, c=d%20e" };
  assert.deepEqual(collector(own), [{ url: "https://t/x", headers: { a: "b", c: "d e" } }, []]);
  for (const off of [{ OTEL_SDK_DISABLED: "true" }, { OTEL_TRACES_EXPORTER: "none" }]) assert.deepEqual(collector({ ...own, ...off }), [null, []]);
});

test("collectorOf() warns of what it cannot do", () => {
  const [found, warnings] = collector({ OTEL_EXPORTER_OTLP_ENDPOINT: "http://c", OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" });
  assert.equal(found?.url, "http://c/v1/traces");
  assert.match(warnings.join(), /not as "grpc"/);
  assert.match(collector({ OTEL_EXPORTER_OTLP_ENDPOINT: "nowhere" })[1].join(), /is no URL/);
});

test("traceParent() begins a trace of its own without a parent that is one", () => {
  for (const header of ["", "00-0-0-01", `00-${"0".repeat(32)}-${"1".repeat(16)}-01`]) {
    const { traceId, spanId } = traceParent({ traceparent: header });
    assert.match(traceId, /^[0-9a-f]{32}$/);
    assert.equal(spanId, null);
  }
  assert.deepEqual(traceParent({ traceparent: `00-${"a".repeat(32)}-${"b".repeat(16)}-00` }), { traceId: "a".repeat(32), spanId: "b".repeat(16) });
});

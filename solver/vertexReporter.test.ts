import assert from "node:assert/strict";
import { test } from "node:test";
import { loadGraph } from "./graph.js";
import { marshal } from "./llb/marshal.js";
import type { Progress } from "./progress.js";
import { fake } from "./testing/fakeBuild.js";
import { type VertexReporter, createVertexReporter } from "./vertexReporter.js";

function tell(body: (reporter: VertexReporter) => void): Progress[] {
  const edge = loadGraph(marshal(fake({ name: "v" }), []));
  assert.ok(edge !== null);
  const events: Progress[] = [];
  body(createVertexReporter(edge.vertex, (event) => void events.push(event)));
  return events;
}

const types = (events: readonly Progress[]): string[] => events.map(({ type }) => type);

test("a hit starts and completes at the same time", () => {
  const [, started, completed] = tell((reporter) => reporter.cached());
  assert.ok(started?.type === "started" && completed?.type === "completed");
  assert.deepEqual([completed.cached, completed.error, completed.at], [true, null, started.at]);
});

test("a log line before the start starts the vertex", () => {
  assert.deepEqual(types(tell((reporter) => reporter.log(2, Buffer.from("x")))), ["vertex", "started", "log"]);
});

test("what comes after completion changes nothing", () => {
  const events = tell((reporter) => {
    reporter.done();
    reporter.started();
    reporter.failed("late");
    reporter.cancelled();
  });
  assert.deepEqual(types(events), ["vertex", "started", "completed"]);
});

test("a vertex that never started is not said to be cancelled", () => {
  assert.deepEqual(types(tell((reporter) => reporter.cancelled())), ["vertex"]);
});

test("a status keeps its start, and ends with its last numbers", () => {
  const events = tell((reporter) => {
    reporter.status("pull", 1, 9);
    reporter.status("pull", 9, 9);
    reporter.statusDone("pull");
  });
  const statuses = events.flatMap((event) => (event.type === "status" ? [event.status] : []));
  const seen = statuses.map(({ current, completedAt }) => [current, completedAt === null]);
  assert.deepEqual(seen, [[1, true], [9, true], [9, false]]);
  assert.equal(new Set(statuses.map(({ startedAt }) => startedAt)).size, 1);
});

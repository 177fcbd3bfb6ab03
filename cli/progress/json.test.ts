import assert from "node:assert/strict";
import test from "node:test";
import type { Progress } from "../../solver/progress.js";
import { lintWarning, stepEvents } from "./eventFixture.js";
import { renderJson } from "./json.js";

async function render(...events: readonly Progress[]): Promise<readonly unknown[]> {
  const lines: string[] = [];
  async function* source() {
    yield* events;
  }
  await renderJson(source(), (text) => void lines.push(text));
  assert.ok(lines.every((line) => line.endsWith("\n") && line.indexOf("\n") === line.length - 1));
  return lines.map((line) => JSON.parse(line) as unknown);
}

const from = stepEvents("FROM base");
const make = stepEvents("RUN make");

test("renderJson() repeats all that is known of a vertex, as SolveStatus does", async () => {
  const digest = make.vertex;
  const known = { digest, inputs: [from.vertex], name: "RUN make" };
  const started = { ...known, started: "1970-01-01T00:00:01.000Z" };
  assert.deepEqual(await render(make.announced([from.vertex]), make.started(1000), make.failed(2000, "exit code: 1")), [
    { vertexes: [known] },
    { vertexes: [started] },
    { vertexes: [{ ...started, completed: "1970-01-01T00:00:02.000Z", error: "exit code: 1" }] },
  ]);
});

test("renderJson() leaves out what is empty", async () => {
  assert.deepEqual(await render(from.announced(), from.cached(0)), [
    { vertexes: [{ digest: from.vertex, name: "FROM base" }] },
    { vertexes: [{ digest: from.vertex, name: "FROM base", started: "1970-01-01T00:00:00.000Z", completed: "1970-01-01T00:00:00.000Z", cached: true }] },
  ]);
});

test("renderJson() writes output as base64", async () => {
  assert.deepEqual(await render(make.log(0, "ö\n", 2)), [
    { logs: [{ vertex: make.vertex, stream: 2, data: "w7YK", timestamp: "1970-01-01T00:00:00.000Z" }] },
  ]);
});

test("renderJson() writes sub-progress with and without a total", async () => {
  const status = { id: "layer", current: 5, total: 10, startedAt: 0, completedAt: 2000 };
  const times = { timestamp: "1970-01-01T00:00:02.000Z", started: "1970-01-01T00:00:00.000Z", completed: "1970-01-01T00:00:02.000Z" };
  assert.deepEqual(await render(make.status(status), make.status({ ...status, total: 0 })), [
    { statuses: [{ id: "layer", vertex: make.vertex, total: 10, current: 5, ...times }] },
    { statuses: [{ id: "layer", vertex: make.vertex, current: 5, ...times }] },
  ]);
});

test("renderJson() writes warnings with positions as pb.Range has them", async () => {
  const [status] = await render(lintWarning);
  assert.deepEqual(status, {
    warnings: [
      {
        level: 1,
        short: Buffer.from("JSONArgsRecommended: JSON arguments recommended").toString("base64"),
        detail: [Buffer.from("Why").toString("base64")],
        url: "https://docs.example/rule",
        sourceInfo: { filename: "Dockerfile" },
        range: [{ start: { line: 4 }, end: { line: 4, character: 8 } }],
      },
    ],
  });
});

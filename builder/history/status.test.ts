import assert from "node:assert/strict";
import { test } from "node:test";
import { type Digest, digestOf } from "../../cache/oci/digest.js";
import type { Progress } from "../../solver/progress.js";
import { statusResponse } from "../api/status.js";
import { statusWriter } from "./status.js";

const A = digestOf("a");
const B = digestOf("b");
const info = { filename: "Dockerfile", data: Buffer.from("FROM x\n"), language: "Dockerfile" };
const writer = () => statusWriter((file) => (file === "Dockerfile" ? info : undefined));
const vertex = (digest: Digest, inputs: readonly Digest[] = []): Progress => ({ type: "vertex", vertex: digest, name: `step ${digest === A ? "a" : "b"}`, inputs, at: 1 });
const started = (digest: Digest, at: number): Progress => ({ type: "started", vertex: digest, at });
const completed = (digest: Digest, at: number, cached = false, error: string | null = null): Progress => ({ type: "completed", vertex: digest, at, cached, error });
const log = (bytes: Uint8Array): Progress => ({ type: "log", vertex: A, at: 5, stream: 2, bytes });

test("statusWriter() tells a step whole each time that it changes", () => {
  const status = writer();
  const whole = { digest: A, name: "step a", inputs: [], cached: false, error: "" };
  assert.deepEqual(status.write([vertex(A)])[0]?.vertexes, [{ ...whole, started: null, completed: null }]);
  assert.deepEqual(status.write([started(A, 10)])[0]?.vertexes, [{ ...whole, started: 10, completed: null }]);
  assert.deepEqual(status.write([completed(A, 20, false, "failed")])[0]?.vertexes, [{ ...whole, started: 10, completed: 20, error: "failed" }]);
  assert.deepEqual(status.write([]), []);
  assert.deepEqual(status.close(30), []);
});

test("statusWriter() tells what changed within one batch once", () => {
  const [message, ...more] = writer().write([vertex(A), started(A, 10), completed(A, 20, true)]);
  assert.deepEqual(message?.vertexes?.map(({ started, completed, cached }) => [started, completed, cached]), [[10, 20, true]]);
  assert.deepEqual(more, []);
});

test("statusWriter() calls cached what a step that starts takes and nobody ran", () => {
  const status = writer();
  status.write([vertex(A), vertex(B, [A])]);
  const [message] = status.write([started(B, 50)]);
  const seen = message?.vertexes?.map(({ digest, cached, started, completed }) => ({ digest, cached, started, completed }));
  assert.deepEqual(seen, [{ digest: A, cached: true, started: 50, completed: 50 }, { digest: B, cached: false, started: 50, completed: null }]);
});

test("statusWriter() leaves alone an input that has run", () => {
  const status = writer();
  status.write([vertex(A), vertex(B, [A]), started(A, 1), completed(A, 2)]);
  assert.deepEqual(status.write([started(B, 50)])[0]?.vertexes?.map(({ digest }) => digest), [B]);
});

test("statusWriter() ends at the close what began and never ended", () => {
  const status = writer();
  status.write([vertex(A), vertex(B), started(A, 1)]);
  assert.deepEqual(status.close(9)[0]?.vertexes?.map(({ digest, completed, error }) => [digest, completed, error]), [[A, 9, "context canceled"]]);
});

test("statusWriter() keeps of each sub-progress the last update of a batch", () => {
  const update = (id: string, current: number, startedAt: number): Progress => ({
    type: "status",
    vertex: A,
    status: { id, current, total: 10, startedAt, completedAt: current === 10 ? 99 : null },
  });
  const [message] = writer().write([update("late", 1, 7), update("pull", 3, 5), update("pull", 10, 5)]);
  assert.deepEqual(message?.statuses?.map(({ id, current, completed }) => [id, current, completed]), [["pull", 10, 99], ["late", 1, null]]);
});

test("statusWriter() names what comes from a client by what is done", () => {
  const status = { id: "transferring context:", current: 1, total: 0, startedAt: 1, completedAt: null };
  const [message] = writer().write([{ type: "status", vertex: A, status }, { type: "status", vertex: A, status: { ...status, id: "extracting" } }]);
  assert.deepEqual(message?.statuses?.map(({ id, name }) => [id, name]), [["transferring context:", "transferring"], ["extracting", "extracting"]]);
});

test("statusWriter() splits logs so that no message has more than a MiB of them", () => {
  const bytes = Buffer.alloc(2.5 * 2 ** 20, "x");
  const messages = writer().write([vertex(A), log(bytes), log(Buffer.from("end"))]);
  const sizes = messages.map(({ logs = [] }) => logs.reduce((sum, { msg }) => sum + (msg?.length ?? 0), 0));
  assert.ok(sizes.every((size) => size <= 2 ** 20), String(sizes));
  assert.equal(messages.filter(({ vertexes = [] }) => vertexes.length > 0).length, 1);
  const all = Buffer.concat(messages.flatMap(({ logs = [] }) => logs.map(({ msg }) => msg!)));
  assert.ok(all.equals(Buffer.concat([bytes, Buffer.from("end")])));
  assert.ok(messages.every((message) => statusResponse.encode(message).length < 3 * 2 ** 20));
});

test("statusWriter() tells warnings with the rule, the line and the text around it", () => {
  const at = { file: "Dockerfile", start: { line: 1, column: 1 }, end: { line: 1, column: 5 } };
  const warning = { rule: "StageNameCasing", message: "Use lower case", detail: "Because", url: "https://x", at };
  const [message] = writer().write([vertex(A), { type: "warning", vertex: null, warning }]);
  const [told] = message?.warnings ?? [];
  assert.equal(Buffer.from(told!.short!).toString(), "StageNameCasing: Use lower case (line 1)");
  assert.deepEqual([told?.vertex, told?.level, told?.url, told?.info], [A, 1, "https://x", info]);
  assert.deepEqual(told?.ranges, [{ start: { line: 1, character: 0 }, end: { line: 1, character: 4 } }]);
});

test("statusWriter() leaves no sub-progress open of a step that has completed", () => {
  const status = writer();
  status.write([vertex(A), started(A, 1), { type: "status", vertex: A, status: { id: "copying", current: 3, total: 0, startedAt: 1, completedAt: null } }]);
  const [message] = status.write([completed(A, 2)]);
  assert.deepEqual(message?.statuses?.map(({ id, current, completed: at }) => [id, current, at]), [["copying", 3, 2]]);
  status.write([vertex(B), started(B, 3), { type: "status", vertex: B, status: { id: "pulling", current: 0, total: 9, startedAt: 3, completedAt: null } }]);
  assert.deepEqual(status.close(4)[0]?.statuses?.map(({ id, completed: at }) => [id, at]), [["pulling", 4]]);
});

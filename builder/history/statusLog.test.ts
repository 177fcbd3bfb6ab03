import assert from "node:assert/strict";
import { test } from "node:test";
import { memoryContentStore } from "../../cache/content/memoryStore.js";
import { hasCode } from "../../cache/errors.js";
import { digestOf } from "../../cache/oci/digest.js";
import type { StatusInput } from "../api/status.js";
import { eventLog } from "../daemon/eventLog.js";
import { readStatus, saveStatus } from "./statusLog.js";

const A = digestOf("a");
const B = digestOf("b");

async function all(messages: AsyncIterable<StatusInput>): Promise<readonly StatusInput[]> {
  const list: StatusInput[] = [];
  for await (const message of messages) list.push(message);
  return list;
}

test("readStatus() gives back what saveStatus() has heard, which counts the steps", async () => {
  const content = memoryContentStore();
  const log = eventLog();
  const saving = saveStatus(content, log, () => undefined);
  log.add({ type: "vertex", vertex: A, name: "one", inputs: [], at: 1 });
  log.add({ type: "vertex", vertex: B, name: "two", inputs: [A], at: 1 });
  log.add({ type: "completed", vertex: A, cached: true, error: null, at: 2 });
  log.add({ type: "warning", vertex: A, warning: { rule: null, message: "careful", detail: "", url: null, at: null } });
  await new Promise(setImmediate);
  log.add({ type: "started", vertex: B, at: 3 });
  log.add({ type: "log", vertex: B, stream: 1, at: 4, bytes: Buffer.alloc(3_000_000, "x") });
  log.end();
  const { logs, steps } = await saving;
  assert.deepEqual(steps, { total: 2, completed: 2, cached: 1, warnings: 1 });
  const messages = await all(readStatus(content, logs!, {}));
  const vertexes = messages.flatMap((message) => message.vertexes ?? []);
  assert.deepEqual(vertexes.filter(({ digest }) => digest === A).at(-1), { digest: A, inputs: [], name: "one", cached: true, started: 2, completed: 2, error: "", progressGroup: null });
  assert.equal(vertexes.at(-1)?.error, "context canceled");
  assert.equal(Buffer.concat(messages.flatMap(({ logs: entries = [] }) => entries.map(({ msg }) => msg!))).length, 3_000_000);
});

test("saveStatus() makes no blob for a build that tells nothing", async () => {
  const log = eventLog();
  log.end();
  const { logs } = await saveStatus(memoryContentStore(), log, () => undefined);
  assert.equal(logs, null);
});

test("saveStatus() counts on when there is no room for the log", async () => {
  const content = { ...memoryContentStore(), ingest: () => Promise.reject(new Error("full")) };
  const log = eventLog();
  log.add({ type: "vertex", vertex: A, name: "one", inputs: [], at: 1 });
  log.end();
  assert.deepEqual(await saveStatus(content, log, () => undefined), { logs: null, steps: { total: 1, completed: 0, cached: 0, warnings: 0 } });
});

test("readStatus() refuses a log that was cut off", async () => {
  const content = memoryContentStore();
  await using ingest = await content.ingest("x");
  await ingest.write(Buffer.from([9, 0, 0, 0, 1]));
  const blob = await ingest.commit();
  await assert.rejects(all(readStatus(content, blob, {})), (error) => hasCode(error, "corrupt"));
});

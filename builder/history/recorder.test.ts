import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { hasCode, TbuildError } from "../../cache/errors.js";
import { digestOf } from "../../cache/oci/digest.js";
import { openStore, type Store } from "../../cache/store.js";
import type { Progress } from "../../solver/progress.js";
import { localHistory } from "./localHistory.js";
import { recorded } from "./recorder.js";
import type { RecordedBuild } from "./recordedBuild.js";
import { runningFiles, shownBuilds } from "./runningBuilds.js";

const STEP = digestOf("step");
const unlimited = { maxAgeMs: null, maxEntries: null, maxBytes: null };
const never = new AbortController().signal;
let dir = "";
let store: Store;

beforeEach(async () => {
  dir = mkdtempSync(path.join(tmpdir(), "tbuild-recorder-"));
  store = await openStore({ root: path.join(dir, "store"), snapshotter: "copy" });
});
afterEach(async () => {
  await store[Symbol.asyncDispose]();
  rmSync(dir, { recursive: true, force: true });
});

function build(ref: string, further: Partial<RecordedBuild> = {}): RecordedBuild {
  return { store, limits: unlimited, request: { context: dir }, ref, address: null, visible: "soon", ...further };
}

const silent = (): void => {};

test("recorded() keeps what a build told and how it ended, without a directory for one that is soon over", async () => {
  await recorded(build("short"), silent, never, async (report) => {
    report({ type: "vertex", vertex: STEP, name: "step", inputs: [], at: 1 });
    report({ type: "completed", vertex: STEP, cached: true, error: null, at: 2 });
    return await Promise.resolve({ metadata: { a: "b" } });
  });
  const failed = new TbuildError("not_found", "No such thing");
  await assert.rejects(recorded(build("failed"), silent, never, () => Promise.reject(failed)), (error) => error === failed);
  const records = await localHistory(store).list({});
  assert.deepEqual(records.map(({ ref, exporterResponse, error }) => [ref, exporterResponse, error?.message]).sort(), [["failed", {}, "No such thing"], ["short", { a: "b" }, undefined]]);
  assert.deepEqual(records.map(({ numTotalSteps, numCachedSteps }) => numTotalSteps + numCachedSteps).sort(), [0, 2]);
  assert.equal(readdirSync(store.root).includes("running"), false);
});

test("recorded() ends a build when another process asks for it, as one that was cancelled", async () => {
  const cancelling = recorded(build("asked", { visible: "at once" }), silent, never, async (_report, signal) => {
    assert.deepEqual(shownBuilds(store.root).map(({ start }) => start.ref), ["asked"]);
    writeFileSync(runningFiles(store.root, "asked").cancel, "");
    return await setTimeout(20_000, { metadata: {} }, { signal });
  });
  await assert.rejects(cancelling, (error) => hasCode(error, "cancelled"));
  assert.equal(store.meta.builds.get("asked")?.error?.code, 1);
  assert.deepEqual(shownBuilds(store.root), []);
});

test("recorded() lets a build be when its history cannot be written, and says so", async () => {
  const broken = { ...store, meta: { ...store.meta, builds: { ...store.meta.builds, put: () => Promise.reject(new Error("no room")) } } };
  const told: Progress[] = [];
  const result = await recorded(build("lost", { store: broken }), (event) => void told.push(event), never, () => Promise.resolve({ metadata: {} }));
  assert.deepEqual(result, { metadata: {} });
  assert.deepEqual(told.map((event) => (event.type === "warning" ? event.warning.message : event.type)), ["Cannot keep this build in the history: no room"]);
  assert.deepEqual(await localHistory(store).list({}), []);
});

test("recorded() removes records beyond the limits when a build was long enough not to mind", async () => {
  const limits = { maxAgeMs: 0, maxEntries: 1, maxBytes: null };
  const slow = async () => await setTimeout(1100, { metadata: {} });
  await recorded(build("first"), silent, never, () => Promise.resolve({ metadata: {} }));
  await recorded(build("second", { limits }), silent, never, slow);
  assert.deepEqual((await localHistory(store).list({})).map(({ ref }) => ref), ["second"]);
});

test("recorded() refuses a name that is none, with a warning", async () => {
  const told: Progress[] = [];
  await recorded(build("../x"), (event) => void told.push(event), never, () => Promise.resolve({ metadata: {} }));
  assert.match(JSON.stringify(told), /Cannot name a build \\"\.\.\/x\\"/);
});

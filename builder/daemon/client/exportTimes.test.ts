import assert from "node:assert/strict";
import { test } from "node:test";
import { hasCode } from "../../../cache/errors.js";
import { parsePlatform } from "../../../cache/oci/platform.js";
import { withStore } from "../../../cache/testing/store.js";
import { dated, datedHistory, exportTimes } from "./exportTimes.js";

const config = (created?: string) => ({ empty_layer: true, ...(created === undefined ? {} : { created }) });
const layer = (created?: string) => (created === undefined ? {} : { created });
const times = (history: Parameters<typeof datedHistory>[0], layers: readonly string[]) => datedHistory(history, layers).map(({ created }) => created);

test("datedHistory() gives layers their snapshots' times, and what has no layer that of the next one", () => {
  assert.deepEqual(times([layer("base"), layer(), config(), layer()], ["b", "one", "two"]), ["base", "one", "two", "two"]);
});

test("datedHistory() gives what comes before the first new layer the time of that", () => {
  assert.deepEqual(times([layer("base"), config("base"), config(), layer()], ["b", "one"]), ["base", "base", "one", "one"]);
});

test("datedHistory() goes by the base where there is no new layer, and by nothing where there is no layer", () => {
  assert.deepEqual(times([layer("base"), config()], ["b"]), ["base", "base"]);
  assert.deepEqual(times([config()], []), [undefined]);
});

test("exportTimes() takes what the export says before what the frontend found", () => {
  assert.deepEqual(exportTimes(undefined, [5, null]), { latest: [5, null], given: false });
  assert.deepEqual(exportTimes("7", [5, null]), { latest: [7, 7], given: true });
  assert.deepEqual(exportTimes("", [5]), { latest: [null], given: true });
  assert.throws(() => exportTimes("soon", [5]), (error) => hasCode(error, "invalid_argument"));
});

test("dated() goes by when a layer was made here, and by no later time than is given", async () => {
  await withStore(async (store) => {
    await store.snapshots.prepare("key", null);
    await store.snapshots.commit("layer", "key");
    const { createdAt } = await store.snapshots.stat("layer");
    const image = { os: "linux", architecture: "amd64", rootfs: { type: "layers", diff_ids: [] }, history: [{ created_by: "COPY" }] } as const;
    const output = { root: "manifest", platforms: [{ platform: parsePlatform("linux/amd64"), ref: { kind: "snapshot", name: "layer" }, image, baseDiffIds: [] }] } as const;
    const time = async (latest: number | null, given: boolean) => (await dated(store, output, { latest: [latest], given })).platforms[0]!;
    const made = new Date(createdAt).toISOString();
    const plain = await time(null, false);
    assert.deepEqual([plain.image.created, plain.image.history, plain.latest], [made, [{ created_by: "COPY", created: made }], null]);
    const early = await time(5, true);
    assert.deepEqual([early.image.created, early.image.history?.[0]?.created, early.latest], ["1970-01-01T00:00:05Z", "1970-01-01T00:00:05Z", 5]);
  });
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { hasCode } from "../../../cache/errors.js";
import { datedHistory, exportTimes } from "./exportTimes.js";

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

import assert from "node:assert/strict";
import { test } from "node:test";
import { hasCode } from "../../cache/errors.js";
import { parseConfig } from "../config.js";
import { asksForGc } from "./asks.js";
import { gcPolicies, gcRules, spaceBytes } from "./rules.js";

const worker = async (toml: string) => (await parseConfig({ file: "tbuild.toml", text: `[worker.oci]\n${toml}` })).worker;
const policies = async (toml: string) => gcPolicies(await worker(toml), "/");

test("gcPolicies() are BuildKit's four when the file has none", async () => {
  const found = await policies("");
  assert.deepEqual(found.map(({ all, filters, keepDurationMs }) => [all, filters.length, keepDurationMs]), [
    [false, 3, 48 * 3_600_000],
    [false, 0, 60 * 24 * 3_600_000],
    [false, 0, null],
    [true, 0, null],
  ]);
  const [easy, , , last] = found;
  assert.deepEqual(easy?.maxUsed, { kind: "bytes", bytes: 512e6 });
  assert.ok(spaceBytes(last!.reserved, "/") <= 10e9 && spaceBytes(last!.maxUsed, "/") <= 100e9);
  assert.deepEqual(last?.minFree, { kind: "percent", percent: 20 });
});

test("gcPolicies() put the file's limits into BuildKit's, where gckeepstorage is a reserve", async () => {
  const [, , third] = await policies('gckeepstorage = "5GB"');
  assert.deepEqual([third?.reserved, third?.maxUsed, third?.minFree], [{ kind: "bytes", bytes: 5e9 }, null, null]);
  const [, , , last] = await policies('maxUsedSpace = "7GB"\nminFreeSpace = "10%"');
  assert.deepEqual([last?.reserved, last?.maxUsed, last?.minFree], [null, { kind: "bytes", bytes: 7e9 }, { kind: "percent", percent: 10 }]);
});

test("gcPolicies() are the file's own, and none when collection is off", async () => {
  const own = '[[worker.oci.gcpolicy]]\nfilters = ["type==exec.cachemount"]\nkeepDuration = "1h"\nkeepBytes = 7\n[[worker.oci.gcpolicy]]\nall = true\nmaxUsedSpace = 9';
  const found = await policies(own);
  assert.deepEqual(found.map(({ all, reserved, maxUsed }) => [all, reserved, maxUsed]), [
    [false, { kind: "bytes", bytes: 7 }, null],
    [true, null, { kind: "bytes", bytes: 9 }],
  ]);
  assert.deepEqual(await policies("gc = false\nmaxUsedSpace = 9"), []);
});

test("asksForGc() is true for a file that says what to keep", async () => {
  const asks = async (toml: string) => asksForGc(await worker(toml));
  assert.deepEqual(await Promise.all(["", "gc = true", "maxUsedSpace = 9", "gc = false\nmaxUsedSpace = 9"].map(asks)), [false, false, true, false]);
});

test("gcRules() are about what filters let through, and refuse bad ones", async () => {
  const [rule] = gcRules(await policies('[[worker.oci.gcpolicy]]\nfilters = ["type==exec.cachemount", "inuse"]'), "/");
  const record = { id: "blob:x", size: 1, lastUsedAt: 0, createdAt: 0, needs: [], parent: null, description: "", shared: false, inImage: false } as const;
  assert.equal(rule?.matches?.({ ...record, type: "exec.cachemount", inUse: false }), true);
  assert.equal(rule?.matches?.({ ...record, type: "regular", inUse: true }), true);
  assert.equal(rule?.matches?.({ ...record, type: "regular", inUse: false }), false);
  const bad = await policies('[[worker.oci.gcpolicy]]\nfilters = ["type=="]');
  assert.throws(() => gcRules(bad, "/"), (error) => hasCode(error, "invalid_argument"));
});

test("spaceBytes() of a share is rounded up to whole GB", () => {
  assert.equal(spaceBytes({ kind: "percent", percent: 1 }, "/") % 1e9, 0);
  assert.equal(spaceBytes({ kind: "percent", percent: 0 }, "/"), 0);
  assert.equal(spaceBytes(null, "/"), 0);
});

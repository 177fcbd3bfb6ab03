import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { createPool } from "../../cache/bulk/pool.js";
import { hasCode } from "../../cache/errors.js";
import { tempDir } from "../../cache/testing/tempDir.js";
import { copySelection } from "../../cache/tree/tempTree.fixture.js";
import { hashGathered, isSmallFile } from "./gatheredHashes.js";

const live = new AbortController().signal;

test("isSmallFile() is true of one file by its name that is not large", async () => {
  await using dir = await tempDir();
  writeFileSync(path.join(dir.path, "small"), "x");
  writeFileSync(path.join(dir.path, "large"), Buffer.alloc((1 << 20) + 1));
  mkdirSync(path.join(dir.path, "d"));
  const small = copySelection("small");
  assert.equal(isSmallFile(dir.path, [small]), true);
  for (const others of [[], [small, small], [copySelection("large")], [copySelection("d")], [copySelection("none")]]) {
    assert.equal(isSmallFile(dir.path, others), false);
  }
});

test("hashGathered() takes one job for what is asked in one turn; who fails or gives up does so alone", async () => {
  await using dir = await tempDir();
  await using pool = createPool();
  for (const name of ["a", "b"]) writeFileSync(path.join(dir.path, name), name);
  const jobs: string[] = [];
  const bulk: typeof pool = { ...pool, run: (name, input, opts) => (jobs.push(name), pool.run(name, input, opts)) };
  const tree = { root: dir.path, ignore: [], ignoreOwners: true, hashCache: null, maxFiles: 10 };
  const givesUp = new AbortController();
  const of = {};
  const ask = (name: string, signal = live) => hashGathered(bulk, of, { ...tree, selections: [copySelection(name)] }, { signal });
  const asked = [ask("a"), ask("none"), ask("b", givesUp.signal), ask("b")];
  givesUp.abort();
  const [a, none, left, b] = await Promise.allSettled(asked);
  assert.deepEqual(jobs, ["hashTrees"]);
  const alone = await pool.run("hashTree", { ...tree, selections: [copySelection("a")] });
  assert.deepEqual(a, { status: "fulfilled", value: alone });
  assert.equal(b?.status, "fulfilled");
  assert.ok(none?.status === "rejected" && hasCode(none.reason, "not_found"));
  assert.ok(left?.status === "rejected" && hasCode(left.reason, "cancelled"));
  await assert.rejects(ask("a", AbortSignal.abort()), (error) => hasCode(error, "cancelled"));
});

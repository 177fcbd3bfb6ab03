import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { hasCode } from "../cache/errors.js";
import { buildEpoch, fileEpoch } from "./epoch.js";

test("fileEpoch() is the build's, else the base image's creation, else 0", () => {
  const image = { created: "1970-01-01T00:01:00Z" };
  assert.equal(fileEpoch({}, 5, image), 5);
  assert.equal(fileEpoch({}, null, image), 60);
  assert.equal(fileEpoch({}, null, {}), 0);
  assert.equal(fileEpoch({ reproducible: false }, 5, image), null);
});

const at = (context: string) => ({ context, contextTime: "head" }) as const;

test("buildEpoch() takes SOURCE_DATE_EPOCH, and refuses what is no time", async () => {
  assert.equal(await buildEpoch(at("/"), { SOURCE_DATE_EPOCH: "7" }), 7);
  await assert.rejects(buildEpoch(at("/"), { SOURCE_DATE_EPOCH: "-7" }), (error) => hasCode(error, "invalid_argument"));
  // Words are names of what is fetched, which the frontend knows.
  assert.equal(await buildEpoch(at("/"), { SOURCE_DATE_EPOCH: "soon" }), null);
});

test("buildEpoch() is the commit time of the context's git HEAD", async (t) => {
  const dir = mkdtempSync(path.join(tmpdir(), "tbuild-epoch-"));
  t.after(() => rmSync(dir, { recursive: true }));
  const env = { ...process.env, GIT_COMMITTER_DATE: "1700000000 +0000", GIT_CONFIG_GLOBAL: "/dev/null" };
  const git = (...args: string[]) => execFileSync("git", ["-C", dir, "-c", "user.name=a", "-c", "user.email=a@b", ...args], { env });
  git("init", "-q");
  assert.equal(await buildEpoch(at(dir), {}), null);
  git("commit", "-q", "--allow-empty", "-m", "x");
  assert.equal(await buildEpoch(at(dir), {}), 1700000000);
});

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { tryLock } from "../../cache/sys/lock.js";
import { digestOf } from "../../cache/oci/digest.js";
import { lockIn } from "../../fixtures/locks.js";
import { startFaultyServer } from "../../fixtures/registry.js";
import { runTbuild, started, startTbuild } from "../../fixtures/tbuildProcess.js";
import { withEntries } from "./lock.js";
import { changeLock, checkWritable } from "./writeLock.js";

const dir = mkdtempSync(path.join(tmpdir(), "tbuild-writelock-"));
after(() => rmSync(dir, { recursive: true }));
const { signal } = new AbortController();
const entry = { kind: "urls", name: "https://files.test/a", pin: digestOf("a") } as const;

test("processes that write one lock at once lose no entry", async () => {
  await using server = await startFaultyServer((request, response) => void response.end(request.url));
  const names = ["a", "b", "c", "d"];
  const lockfile = path.join(dir, "tbuild.lock");
  const builds = names.map(async (name) => {
    const context = path.join(dir, name);
    mkdirSync(context);
    writeFileSync(path.join(context, "Dockerfile"), `FROM scratch\nADD http://${server.host}/${name} http://${server.host}/all /\n`);
    return await runTbuild(["--root", path.join(dir, "store"), "--lock", "--lockfile", lockfile, "-o", path.join(dir, `out-${name}`), context]);
  });
  for (const { status, stderr } of await Promise.all(builds)) assert.equal(status, 0, stderr);
  assert.deepEqual(lockIn(dir).urls, Object.fromEntries(["a", "all", "b", "c", "d"].map((name) => [`http://${server.host}/${name}`, digestOf(`/${name}`)])));
  assert.deepEqual(readdirSync(dir).filter((name) => name.includes("lock")), ["tbuild.lock"]);
});

test("a build that is interrupted leaves no lock and no part of one", async () => {
  await using server = await startFaultyServer(() => {});
  const context = path.join(dir, "interrupted");
  mkdirSync(context);
  writeFileSync(path.join(context, "Dockerfile"), `FROM scratch\nADD http://${server.host}/never /\n`);
  const build = startTbuild(["--root", path.join(dir, "store"), "--progress", "rawjson", "--lock", context]);
  await build.reached(started("lock http"));
  build.kill("SIGINT");
  assert.equal((await build.ended).status, 130);
  assert.deepEqual(readdirSync(context), ["Dockerfile"]);
});

test("changeLock() waits for whoever writes, reads what they wrote, and writes through a link", async () => {
  const own = path.join(dir, "own");
  mkdirSync(own);
  const place = { file: path.join(own, "tbuild.lock"), shown: "tbuild.lock" };
  const held = tryLock(own, "exclusive", "directory");
  let done = false;
  const writing = changeLock(place, (lock) => withEntries(lock, [entry]), signal).then(() => (done = true));
  const other = { version: 1, urls: { "https://files.test/b": digestOf("b") } };
  writeFileSync(place.file, JSON.stringify(other));
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(done, false);
  held?.[Symbol.dispose]();
  await writing;
  assert.deepEqual(lockIn(own).urls, { [entry.name]: entry.pin, ...other.urls });
  const link = path.join(own, "link");
  symlinkSync("tbuild.lock", link);
  await changeLock({ file: link, shown: "link" }, () => [entry], signal);
  assert.deepEqual(lockIn(own).urls, { [entry.name]: entry.pin });
});

test("changeLock() does not touch a file that says so already, however it is written", async () => {
  const file = path.join(dir, "same.lock");
  writeFileSync(file, JSON.stringify({ urls: { [entry.name]: entry.pin }, version: 1 }));
  const { ino } = statSync(file);
  await changeLock({ file, shown: "same.lock" }, (lock) => withEntries(lock, [entry]), signal);
  assert.equal(statSync(file).ino, ino);
  assert.equal(readFileSync(file, "utf8").endsWith("\n"), false);
});

test("checkWritable() tells before a build that its lock has no place", () => {
  assert.throws(() => checkWritable({ file: path.join(dir, "none/tbuild.lock"), shown: "none/tbuild.lock" }), { code: "not_found" });
});

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { startFaultyServer } from "../../fixtures/registry.js";
import { runTbuild } from "../../fixtures/tbuildProcess.js";

const dir = mkdtempSync(path.join(tmpdir(), "tbuild-lockcommand-"));
after(() => rmSync(dir, { recursive: true }));

const run = (...words: readonly string[]) => runTbuild(["--root", path.join(dir, "store"), ...words], { cwd: dir });

test("tbuild --lock, lock ls, lock update and lock rm say what they do", async () => {
  let text = "old";
  await using server = await startFaultyServer((_, response) => void response.end(text));
  const url = (name: string) => `http://${server.host}/${name}`;
  writeFileSync(path.join(dir, "Dockerfile"), `FROM scratch\nADD ${url("a")} ${url("b")} /\n`);
  const missing = await run("--locked", ".");
  assert.equal(missing.status, 1);
  assert.match(missing.stderr, /ERROR: Cannot read "tbuild.lock": no such file\nhint: Run once with --lock/);
  assert.match((await run("--lock", "-t", "localhost/locked:1", ".")).stderr, /add 2 sources to tbuild.lock/);
  const listed = await run("lock", "ls");
  assert.match(listed.stdout, /^NAME +KIND +IS\nhttp:\/\/[\d.:]*\/a +url +sha256:[0-9a-f]{64}\nhttp/);
  assert.equal((JSON.parse((await run("lock", "ls", "--format", "json")).stdout) as unknown[]).length, 2);
  assert.equal((await run("lock", "update")).stdout, "Nothing has changed: 2 entries of tbuild.lock\n");
  text = "new";
  const verified = await Promise.all([["--locked"], []].map((words) => run("verify", ...words, "-q", "localhost/locked:1", ".")));
  assert.deepEqual(verified.map(({ status }) => status), [0, 1], "a lock says what an image was made of");
  const planned = await run("lock", "update", "--dry-run");
  assert.match(planned.stdout, /^NAME +WAS +IS\nhttp:\S*\/a +[0-9a-f]{12} +[0-9a-f]{12}\nhttp:\S*\/b +.*\n\nWould change 2 of 2 entries of tbuild.lock\n$/);
  const moved = await run("lock", "update", url("b"), "--format", "json");
  assert.deepEqual((JSON.parse(moved.stdout) as readonly { readonly name: string }[]).map(({ name }) => name), [url("b")]);
  const removed = await run("lock", "rm", url("a"));
  assert.equal(removed.stdout, `Removed ${url("a")}\n`);
  const refused = await run("--locked", ".");
  assert.match(refused.stderr, /Dockerfile:2:1: Cannot use "http:\S*\/a": tbuild.lock has no entry for it\n.*>> ADD/s);
});

test("a damaged lock is shown with its line", async () => {
  const own = path.join(dir, "damaged");
  mkdirSync(own);
  writeFileSync(path.join(own, "Dockerfile"), "FROM scratch\n");
  writeFileSync(path.join(own, "tbuild.lock"), '{\n  "version": 1,\n  "urls": {\n    "https://files.test/x": "sha256:1"\n  }\n}\n');
  const { status, stderr } = await run("--locked", own);
  assert.equal(status, 1);
  assert.match(stderr, /tbuild.lock:4:5: Cannot read "tbuild.lock": "sha256:1" is no digest\n.*"https:\/\/files.test\/x": "sha256:1"/s);
  assert.match(readFileSync(path.join(own, "tbuild.lock"), "utf8"), /"sha256:1"/);
});

test("options of a lock that contradict each other are refused", async () => {
  for (const [words, message] of [
    [["--lock", "--locked", "."], /Cannot use --lock and --locked together/],
    [["--lockfile", "x", "."], /--lockfile names a file for --lock or --locked/],
    [["--locked", "--check", "."], /Cannot use --locked with --check/],
    [["lock", "rm"], /"tbuild lock rm" needs more words/],
    [["lock", "updaet"], /Unknown lock command "updaet"\n.*update/],
  ] as const) {
    const { status, stderr } = await run(...words);
    assert.equal(status, 2, words.join(" "));
    assert.match(stderr, message);
  }
});

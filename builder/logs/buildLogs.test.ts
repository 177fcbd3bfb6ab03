import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { digestOf } from "../../cache/oci/digest.js";
import type { Progress } from "../../solver/progress.js";
import { openLogs } from "./buildLogs.js";
import { logsRoot, pruneLogs, RUNNING } from "./prune.js";

interface Root extends Disposable {
  readonly root: string;
  readonly lease: string;
}

/** A store's root with the lock of one live lease. */
function testRoot(): Root {
  const root = mkdtempSync(path.join(tmpdir(), "tbuild-logs-"));
  mkdirSync(path.join(root, "leases"));
  writeFileSync(path.join(root, "leases/alive.lock"), "");
  return { root, lease: "alive", [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }) };
}

const vertex = digestOf("v");
const named: Progress = { type: "vertex", vertex, name: "[2/4] RUN make ../x", inputs: [], at: 0 };
const log = (bytes: Uint8Array): Progress => ({ type: "log", vertex, at: 0, stream: 1, bytes });

test("openLogs() makes nothing for a build without output, and passes events on", () => {
  using at = testRoot();
  const seen: Progress[] = [];
  {
    using logs = openLogs(at, (event) => void seen.push(event));
    logs.report(named);
    assert.equal(logs.fileOf(vertex), null);
  }
  assert.deepEqual(seen, [named]);
  assert.equal(existsSync(logsRoot(at.root)), false);
});

test("openLogs() writes every byte of a step, readable by its owner only", () => {
  using at = testRoot();
  const chunk = Buffer.alloc(50_000, "x");
  let file: string | null = null;
  {
    using logs = openLogs(at, () => {});
    logs.report(named);
    for (let i = 0; i < 10; i++) logs.report(log(chunk));
    file = logs.fileOf(vertex);
    assert.equal(path.basename(file ?? ""), "1-2-4-RUN-make-..-x.log");
    assert.equal(statSync(file!).size, 500_000);
    logs.report(log(Buffer.from("end")));
    assert.equal(existsSync(path.join(path.dirname(file!), RUNNING)), true);
  }
  assert.equal(readFileSync(file!, "utf8"), `${"x".repeat(500_000)}end`);
  assert.equal(statSync(file!).mode & 0o777, 0o600);
  assert.equal(existsSync(path.join(path.dirname(file!), RUNNING)), false);
});

test("openLogs() says once that it cannot write, and goes on", () => {
  using at = testRoot();
  writeFileSync(logsRoot(at.root), "in the way");
  const seen: Progress[] = [];
  using logs = openLogs(at, (event) => void seen.push(event));
  logs.report(named);
  for (let i = 0; i < 3; i++) logs.report(log(Buffer.alloc(100_000)));
  assert.equal(logs.fileOf(vertex), null);
  assert.deepEqual(seen.map(({ type }) => type).filter((type) => type === "warning"), ["warning"]);
  assert.equal(seen.filter(({ type }) => type === "log").length, 3);
});

function makeLogs(root: string, name: string, size: number, lease?: string): void {
  const dir = path.join(logsRoot(root), name);
  mkdirSync(dir, { recursive: true });
  writeFileSync(path.join(dir, "1-x.log"), Buffer.alloc(size));
  if (lease !== undefined) writeFileSync(path.join(dir, RUNNING), lease);
}

test("pruneLogs() keeps the newest builds and those that run", () => {
  using at = testRoot();
  makeLogs(at.root, "2020-a", 1, "alive");
  makeLogs(at.root, "2020-b", 1, "dead");
  for (const name of ["2021", "2022", "2023"]) makeLogs(at.root, name, 1);
  pruneLogs(at.root, { builds: 2, bytes: 1000 });
  assert.deepEqual(readdirSync(logsRoot(at.root)).sort(), ["2020-a", "2022", "2023"]);
});

test("pruneLogs() keeps within its bytes, but always the newest", () => {
  using at = testRoot();
  for (const name of ["2021", "2022"]) makeLogs(at.root, name, 600);
  makeLogs(at.root, "2023", 300);
  pruneLogs(at.root, { builds: 50, bytes: 1000 });
  assert.deepEqual(readdirSync(logsRoot(at.root)).sort(), ["2022", "2023"]);
  makeLogs(at.root, "2024", 5000);
  pruneLogs(at.root, { builds: 50, bytes: 1000 });
  assert.deepEqual(readdirSync(logsRoot(at.root)), ["2024"]);
});

// Compiles, runs the test files (all, or those whose path contains one of the arguments) and prints
// "N passed, N failed[, N skipped]". --out DIR compiles elsewhere, so that two runs do not meet.
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import path from "node:path";
import { run } from "node:test";

const args = process.argv.slice(2);
const outAt = args.indexOf("--out");
const out = outAt < 0 ? "dist" : args.splice(outAt, 2)[1];
const root = path.dirname(path.dirname(new URL(import.meta.url).pathname));
process.chdir(root);

compile();
const files = testFiles(out).filter((file) => args.length === 0 || args.some((part) => file.includes(part)));
const counts = { passed: 0, failed: 0, skipped: 0 };
const failures = [];

const stream = run({ files, concurrency: 2, timeout: 600_000 });
stream.on("test:pass", (event) => count(event, "passed"));
stream.on("test:fail", (event) => count(event, "failed"));
stream.on("test:stderr", (event) => process.stderr.write(event.message));
for await (const _ of stream);
report();

function compile() {
  const tsc = spawnSync(process.execPath, ["node_modules/typescript/bin/tsc", "-p", ".", "--outDir", out], { encoding: "utf8" });
  const own = tsc.stdout.split("\n").filter((line) => args.length === 0 || args.some((part) => line.startsWith(part)));
  if (tsc.status !== 0) process.stdout.write(own.join("\n") + "\n");
  if (tsc.status !== 0 && args.length === 0) process.exit(1);
}

function testFiles(dir) {
  return readdirSync(dir, { recursive: true })
    .filter((name) => name.endsWith(".test.js"))
    .map((name) => path.join(root, dir, name))
    .sort();
}

function count(event, kind) {
  const isFile = event.details?.type === "suite" || event.name.endsWith(".test.js");
  if (isFile && kind === "passed") return;
  if (isFile && event.details?.error?.failureType === "subtestsFailed") return;
  if (event.skip !== undefined) {
    counts.skipped++;
    process.stdout.write(`skipped: ${event.name}${typeof event.skip === "string" ? ` (${event.skip})` : ""}\n`);
    return;
  }
  counts[kind]++;
  if (kind === "failed") failures.push(event);
  if (kind === "failed" || event.details.duration_ms > 5000) {
    process.stdout.write(`${kind}: ${event.name} (${Math.round(event.details.duration_ms)} ms)\n`);
  }
}

function report() {
  for (const { name, file, details } of failures) {
    const error = details.error?.cause ?? details.error;
    process.stdout.write(`\n✖ ${name}\n  ${file}\n${String(error?.stack ?? error).replace(/^/gm, "  ")}\n`);
  }
  const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : "";
  process.stdout.write(`\n${counts.passed} passed, ${counts.failed} failed${skipped}\n`);
  process.exitCode = counts.failed > 0 ? 1 : 0;
}

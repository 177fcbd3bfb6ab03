import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { benchCases, type BenchCase } from "./contexts.js";
import { frontendTimes } from "./frontend.js";
import { startUp } from "./startUp.js";
import { measure, run, type Sample } from "./process.js";
import { baseTar, buildahTool, tbuildTool, type Tool } from "./tools.js";

const { values } = parseArgs({
  options: {
    only: { type: "string", default: "" },
    rounds: { type: "string", default: "3" },
    alone: { type: "boolean", default: false },
  },
});
const rounds = Number(values.rounds);
const work = mkdtempSync(path.join(tmpdir(), "tbuild-bench-"));

try {
  await main();
} finally {
  rmSync(work, { recursive: true, force: true });
}

/** Prints one row a case: medians of `rounds` builds by each tool in turn, their ratio and the largest memory. */
async function main(): Promise<void> {
  const tools = values.alone ? [tbuildTool(work)] : [tbuildTool(work), buildahTool(work)];
  const tar = baseTar(work);
  try {
    for (const tool of tools) tool.prepare(tar);
    measureAll(tools);
  } finally {
    for (const tool of tools) tool.clear();
  }
  if (values.only !== "") return;
  startUp(rounds * 3);
  await frontendTimes(rounds * 3);
}

function measureAll(tools: readonly Tool[]): void {
  print(["case", ...tools.map(({ name }) => `${name} s`), "ratio", "target", ...tools.map(({ name }) => `${name} MB`)]);
  for (const item of benchCases.filter(({ id }) => values.only === "" || values.only.includes(id))) {
    const dir = path.join(work, item.id);
    mkdirSync(dir);
    item.make(dir, "localhost/bench-base:1");
    runCase(item, dir, tools, false);
    if (item.exports) runCase(item, dir, tools, true);
  }
}

function runCase(item: BenchCase, dir: string, tools: readonly Tool[], withTar: boolean): void {
  const samples = tools.map((): Sample[] => []);
  if (item.warm) for (const tool of tools) run(tool.build(dir, "warm", null), tool.env);
  for (let round = 0; round < rounds; round++) {
    tools.forEach((tool, index) => {
      item.change?.(dir, Date.now());
      const tar = withTar ? path.join(work, `${item.id}.tar`) : null;
      samples[index]!.push(measure(tool.build(dir, item.warm ? "warm" : `${round}-${withTar}`, tar), tool.env));
      if (tar !== null) rmSync(tar, { force: true });
    });
  }
  const seconds = samples.map((list) => median(list.map((sample) => sample.seconds)));
  const ratio = seconds[1] === undefined ? "" : (seconds[0]! / seconds[1]).toFixed(2);
  const peaks = samples.map((list) => Math.max(...list.map((sample) => sample.peakMb)).toFixed(0));
  print([`(${item.id}) ${item.title}${withTar ? ", OCI tar written" : ""}`, ...seconds.map((value) => value.toFixed(2)), ratio, String(item.target), ...peaks]);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function print(cells: readonly string[]): void {
  process.stdout.write(`${cells.map((cell, index) => (index === 0 ? cell.padEnd(64) : cell.padStart(10))).join(" ")}\n`);
}

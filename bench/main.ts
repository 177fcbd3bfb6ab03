import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import type { Bench } from "./bench.js";
import { findBuildkit } from "./buildkit.js";
import { benchCases, type BenchCase } from "./contexts.js";
import { cacheCase } from "./cacheCases.js";
import { daemonCases } from "./daemonCases.js";
import { gzipCase, platformsCase } from "./exportCases.js";
import { gcCase } from "./gcCases.js";
import { frontendTimes } from "./frontend.js";
import { measure, run, type Sample } from "./process.js";
import { pullCase, pushCase } from "./registryCases.js";
import { startUp } from "./startUp.js";
import { median, print } from "./table.js";
import { baseTar, buildahTool, tbuildTool, type Tool } from "./tools.js";

const { values } = parseArgs({
  options: {
    only: { type: "string", default: "" },
    rounds: { type: "string", default: "3" },
    alone: { type: "boolean", default: false },
    buildkit: { type: "string", default: "" },
  },
});
const rounds = Number(values.rounds);
const longCases: Readonly<Record<string, (bench: Bench) => Promise<void>>> = { g: pullCase, h: pushCase, i: gzipCase, j: platformsCase, n: cacheCase, o: gcCase };
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
    for (const [id, measureCase] of Object.entries(longCases)) {
      if (wanted(id)) await measureCase({ tools, rounds, work, buildkit: findBuildkit(values.buildkit) });
    }
    if ([..."klm"].some(wanted)) await daemonCases({ tools, rounds, work, buildkit: null }, wanted);
  } finally {
    for (const tool of tools) tool.clear();
  }
  if (values.only !== "") return;
  startUp(rounds * 3);
  await frontendTimes(rounds * 3);
}

function wanted(id: string): boolean {
  return values.only === "" || values.only.includes(id);
}

function measureAll(tools: readonly Tool[]): void {
  print(["case", ...tools.map(({ name }) => `${name} s`), "ratio", "target", ...tools.map(({ name }) => `${name} MB`)]);
  for (const item of benchCases.filter(({ id }) => wanted(id))) {
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

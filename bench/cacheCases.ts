import path from "node:path";
import { startRegistry } from "../fixtures/registry.js";
import { writeContext } from "../fixtures/testBuilder.js";
import type { Bench } from "./bench.js";
import { measureBeside, run, type Sample } from "./process.js";
import { median, print } from "./table.js";
import { tbuildAt } from "./tools.js";

const STAGES = 50;
const STEPS = 19;

/** (k): a registry's cache of 1,000 records: first export, export of nothing new, and a build in an empty store that finds all of it. */
export async function cacheCase({ tools, rounds, work }: Bench): Promise<void> {
  await using registry = await startRegistry();
  const own = tools[0]!;
  const dir = path.join(work, "k");
  manySteps(dir);
  const build = (store: string, ...flags: readonly string[]) => [...tbuildAt(path.join(own.disk, store)), "build", "--progress", "plain", "-o", "type=cacheonly", ...flags, dir];
  const to = (round: number) => ["--cache-to", `type=registry,ref=${registry.host}/bench/cache:${round},mode=max`];
  run(build("filled"), own.env);
  const samples: Sample[][] = [[], [], [], []];
  for (let round = 0; round < rounds; round++) {
    const commands = [
      build("filled"),
      build("filled", ...to(round)),
      build("filled", ...to(round)),
      build(`empty-${round}`, "--cache-from", `${registry.host}/bench/cache:${round}`),
    ];
    for (const [index, command] of commands.entries()) samples[index]!.push(await measureBeside(command, own.env));
  }
  const [cached, first, again, imported] = samples.map((some) => median(some.map(({ seconds }) => seconds)).toFixed(2));
  print(["(k) 1,000 steps, all cached here", `tbuild ${cached}`]);
  print(["(k) the same exported to a registry's cache for the first time", `tbuild ${first}`]);
  print(["(k) the same exported again", `tbuild ${again}`]);
  print(["(k) the same in an empty store, all found in that cache", `tbuild ${imported}`]);
}

/** Stages of COPY, and one that takes something of each. */
function manySteps(dir: string): void {
  const names = Array.from({ length: STAGES }, (_, stage) => Array.from({ length: STEPS }, (_unused, step) => `f${stage}-${step}`));
  const files = Object.fromEntries(names.flat().map((name) => [name, `${name}\n`.repeat(20)]));
  const stages = names.map((own, stage) => `FROM scratch AS s${stage}\n${own.map((name, step) => `COPY ${name} /${step}\n`).join("")}`);
  const last = names.map((_, stage) => `COPY --from=s${stage} /0 /${stage}\n`);
  writeContext(dir, { ...files, Dockerfile: `${stages.join("")}FROM scratch\n${last.join("")}` });
}

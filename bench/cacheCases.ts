import path from "node:path";
import { startRegistry } from "../fixtures/registry.js";
import { writeContext } from "../fixtures/testBuilder.js";
import type { Bench } from "./bench.js";
import type { Buildkit } from "./buildkit.js";
import { measureBeside, run, type Sample } from "./process.js";
import { median, print } from "./table.js";
import { tbuildAt, type Tool } from "./tools.js";

const STAGES = 50;
const STEPS = 19;

/** What is measured of each tool. */
const titles = [
  "1,000 steps, all cached here",
  "the same exported to a registry's cache for the first time",
  "the same exported again",
  "the same in an empty store, all found in that cache",
] as const;
const targets = ["", "", "0.2 of the first export", "0.5"] as const;

/** (n): a registry's cache of 1,000 records: first export, export of nothing new, and a build in an empty store that finds all of it. */
export async function cacheCase({ tools, rounds, work, buildkit }: Bench): Promise<void> {
  await using registry = await startRegistry();
  const dir = path.join(work, "n");
  manySteps(dir);
  const contenders = [ownCache(tools[0]!, dir), ...(buildkit === null ? [] : [buildkitCache(buildkit, dir)])];
  const samples = contenders.map((): Sample[][] => titles.map(() => []));
  for (let round = 0; round < rounds; round++) {
    for (const [at, contender] of contenders.entries()) {
      contender.fill();
      const commands = contender.commands(`${registry.host}/bench/${contender.name}:${round}`, round);
      for (const [index, command] of commands.entries()) {
        if (index === IMPORT) contender.empty();
        samples[at]![index]!.push(await measureBeside(command, contender.env));
      }
    }
  }
  const seconds = samples.map((some) => some.map((one) => median(one.map((sample) => sample.seconds))));
  print(["case", ...contenders.map(({ name }) => `${name} s`), "ratio", "target"]);
  for (const [index, title] of titles.entries()) {
    const ratio = seconds[1] === undefined ? "" : (seconds[0]![index]! / seconds[1][index]!).toFixed(2);
    print([`(n) ${title}`, ...seconds.map((some) => some[index]!.toFixed(2)), ratio, targets[index]!]);
  }
}

/** Which of {@link titles} begins with an empty store. */
const IMPORT = 3;

/** A builder with a cache of its own. */
interface CacheContender {
  readonly name: string;
  readonly env: NodeJS.ProcessEnv;
  /** Builds what the commands of a round find cached, with no shared cache. */
  fill(): void;
  /** One command for each of {@link titles}. */
  commands(ref: string, round: number): readonly (readonly string[])[];
  /** Forgets all that was built, where commands do not name a store of their own. */
  empty(): void;
}

function ownCache({ name, disk, env }: Tool, dir: string): CacheContender {
  const build = (store: string, ...flags: readonly string[]) => [...tbuildAt(path.join(disk, store)), "build", "--progress", "plain", "-o", "type=cacheonly", ...flags, dir];
  return {
    name,
    env,
    fill: () => void run(build("filled"), env),
    commands: (ref, round) => {
      const exporting = build("filled", "--cache-to", `type=registry,ref=${ref},mode=max`);
      return [build("filled"), exporting, exporting, build(`empty-${round}`, "--cache-from", ref)];
    },
    empty: () => {},
  };
}

function buildkitCache(buildkit: Buildkit, dir: string): CacheContender {
  return {
    name: "buildkit",
    env: process.env,
    fill: () => {
      buildkit.prune();
      run(buildkit.build(dir, null));
    },
    commands: (ref) => {
      const exporting = buildkit.cached(dir, { to: ref });
      return [buildkit.build(dir, null), exporting, exporting, buildkit.cached(dir, { from: ref })];
    },
    empty: () => buildkit.prune(),
  };
}

/** Stages of COPY, and one that takes something of each. */
function manySteps(dir: string): void {
  const names = Array.from({ length: STAGES }, (_, stage) => Array.from({ length: STEPS }, (_unused, step) => `f${stage}-${step}`));
  const files = Object.fromEntries(names.flat().map((name) => [name, `${name}\n`.repeat(20)]));
  const stages = names.map((own, stage) => `FROM scratch AS s${stage}\n${own.map((name, step) => `COPY ${name} /${step}\n`).join("")}`);
  const last = names.map((_, stage) => `COPY --from=s${stage} /0 /${stage}\n`);
  writeContext(dir, { ...files, Dockerfile: `${stages.join("")}FROM scratch\n${last.join("")}` });
}

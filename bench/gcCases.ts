import path from "node:path";
import { writeContext } from "../fixtures/testBuilder.js";
import { openStore } from "../cache/store.js";
import { commitFile, keyParts } from "../cache/testing/store.js";
import { BENCH_BASE, tbuildAt } from "./tools.js";
import type { Bench } from "./bench.js";
import { measureBeside, run, type Sample } from "./process.js";
import { median, print } from "./table.js";

const RECORDS = 10_000;
/** Files that are written before records are made: all others only have a directory. */
const WITH_FILES = 1000;

/** (o): 10,000 records are collected while builds go on in the same store; how long these take beside it, and alone. */
export async function gcCase({ tools, rounds, work }: Bench): Promise<void> {
  const { disk, env } = tools[0]!;
  const dir = writeContext(path.join(work, "o"), { Dockerfile: `FROM ${BENCH_BASE}\nARG ROUND\nRUN echo $ROUND > /1\nRUN echo $ROUND > /2\n` });
  const root = path.join(disk, "collected");
  const program = tbuildAt(root);
  const build = (round: string) => [...program, "build", "--progress", "plain", "-o", "type=cacheonly", "--build-arg", `ROUND=${round}`, dir];
  run([...program, "image", "import", path.join(work, "base.tar"), BENCH_BASE], env);
  const collections: Sample[] = [];
  const alone: Sample[] = [];
  const beside: Sample[] = [];
  for (let round = 0; round < rounds; round++) {
    await fill(root, round);
    alone.push(await measureBeside(build(`alone-${round}`), env));
    const state = { collecting: true };
    const collection = measureBeside([...program, "prune"], env).finally(() => (state.collecting = false));
    for (let count = 0; state.collecting; count++) beside.push(await measureBeside(build(`beside-${round}-${count}`), env));
    collections.push(await collection);
  }
  const seconds = (samples: readonly Sample[]) => median(samples.map((sample) => sample.seconds));
  print(["case", "s", "MB", "alone s", "ratio"]);
  print([`(o) prune of ${RECORDS} records beside builds`, seconds(collections).toFixed(2), Math.max(...collections.map(({ peakMb }) => peakMb)).toFixed(0)]);
  print(["(o) 2 steps, uncached, beside that prune", seconds(beside).toFixed(2), "", seconds(alone).toFixed(2), (seconds(beside) / seconds(alone)).toFixed(2)]);
}

/** Chains of ten snapshots with a record of the cache each, as builds leave them. */
async function fill(root: string, round: number): Promise<void> {
  await using store = await openStore({ root });
  let parent: string | null = null;
  for (let index = 0; index < RECORDS; index++) {
    const name = `o-${round}-${index}`;
    if (index % 10 === 0) parent = null;
    if (index < WITH_FILES) await commitFile(store, name, parent);
    else {
      await store.snapshots.prepare(`${name}-key`, parent);
      await store.snapshots.commit(name, `${name}-key`);
    }
    await store.index.save([`key-${name}`], `key-${name}`, [{ kind: "snapshot", name }], keyParts(`RUN ${name}`));
    parent = name;
  }
}

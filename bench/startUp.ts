import { spawnSync } from "node:child_process";
import path from "node:path";

/** Prints how long `tbuild version` takes next to `node -e 0`: medians of `rounds` starts of each, in turn. */
export function startUp(rounds: number): void {
  const commands = [
    ["-e", "0"],
    [path.resolve("bin/tbuild"), "version"],
  ];
  const times = commands.map((): number[] => []);
  for (let round = 0; round < rounds; round++) {
    commands.forEach((args, index) => {
      const start = process.hrtime.bigint();
      spawnSync(process.execPath, args);
      times[index]!.push(Number(process.hrtime.bigint() - start) / 1e6);
    });
  }
  const [floor = 0, own = 0] = times.map((list) => list.sort((a, b) => a - b)[Math.floor(list.length / 2)]);
  process.stdout.write(`start-up: tbuild version ${own.toFixed(1)} ms, node -e 0 ${floor.toFixed(1)} ms, ratio ${(own / floor).toFixed(2)} (target 1.3)\n`);
}

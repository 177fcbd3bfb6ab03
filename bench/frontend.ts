import { setFlagsFromString } from "node:v8";
import { compilePatterns, type MatchState } from "../cache/tree/patterns.js";
import { dockerfileToDefinition } from "../frontend/mod.js";
import { defaultFrontendOptions } from "../frontend/options.js";

/** Prints what reading a Dockerfile and an ignore file costs, in milliseconds: the first run, and the median of `rounds`. */
export async function frontendTimes(rounds: number): Promise<void> {
  // As bin/tbuild does.
  setFlagsFromString("--interrupt-budget=400000");
  await row("200 stages, 2,000 lines: parse and plan", 60, rounds, async () => plan(manyStages()));
  await row("100,000 paths against 200 ignore patterns", 300, rounds, async () => matchAll());
  for (const [name, text] of hostileFiles()) await row(`1 MiB of ${name}`, 1000, 1, async () => plan(text));
}

async function row(name: string, target: number, rounds: number, work: () => Promise<unknown>): Promise<void> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const start = process.hrtime.bigint();
    await work();
    times.push(Number(process.hrtime.bigint() - start) / 1e6);
  }
  const [first = 0] = times;
  const median = times.sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0;
  process.stdout.write(`${name.padEnd(50)} first ${first.toFixed(0).padStart(6)} ms, median ${median.toFixed(0).padStart(6)} ms (target ${target})\n`);
}

/** A refusal is an answer too. */
async function plan(text: string): Promise<void> {
  const platform = { os: "linux", architecture: "amd64" };
  const resolveImage = async () => Promise.reject(new Error("No image is used"));
  await dockerfileToDefinition(text, { ...defaultFrontendOptions, platform, buildPlatform: platform, resolveImage }).catch(() => {});
}

/** Ten lines a stage; each copies from the one before it. */
function manyStages(): string {
  return Array.from({ length: 200 }, (_, n) =>
    [
      `FROM scratch AS s${n}`,
      `ARG VERSION=${n}`,
      "ENV PATH=/bin:/usr/bin NAME=$VERSION",
      "WORKDIR /work/${NAME:-none}",
      n === 0 ? "COPY . ." : `COPY --from=s${n - 1} /out /in`,
      'COPY --chown=1:1 package.json package-lock.json "./"',
      "RUN --mount=type=cache,target=/root/.cache make \\\n  all",
      "LABEL stage=$NAME",
      'CMD ["serve", "--port", "80"]',
    ].join("\n"),
  ).join("\n");
}

function matchAll(): number {
  const rules = Array.from({ length: 50 }, (_, n) => [`dir${n}/sub*/x${n}`, `**/name${n}`, `*.ext${n}`, `literal/path/${n}`]).flat();
  const matcher = compilePatterns([...rules.slice(0, 196), "**/*.log", "!keep/**", "docs/**/*.md", "!docs/README.md"]);
  let matched = 0;
  for (let top = 0; top < 100; top++) {
    const parent = matcher.match(`dir${top}`, null);
    for (let sub = 0; sub < 10; sub++) matched += matchFiles(`dir${top}/sub${sub}`, parent);
  }
  return matched;

  function matchFiles(dir: string, parent: MatchState): number {
    const state = matcher.match(dir, parent);
    let count = 0;
    for (let file = 0; file < 99; file++) if (matcher.match(`${dir}/file${file}.ts`, state).matched) count++;
    return count;
  }
}

function hostileFiles(): readonly [string, string][] {
  const mib = 1024 * 1024;
  const filled = (unit: string): string => unit.repeat(Math.ceil(mib / unit.length));
  return [
    ["continuations", `FROM scratch\nRUN ${filled("x \\\n")}`],
    ["open quotes", `FROM scratch\nENV a=${filled("'\"")}`],
    ["nested braces", `FROM scratch\nENV a=${filled("${A:-")}`],
    ["here-documents", `FROM scratch\nRUN ${filled("<<E ")}`],
    ["unknown instructions", filled("x\n")],
    ["steps", `FROM scratch\n${filled("RUN x\n")}`],
    ["stages", filled("FROM scratch\n")],
    ["variables", `FROM scratch\n${filled("ENV A=$A$A\n")}`],
    ["labels", `FROM scratch\nLABEL ${Array.from({ length: 80_000 }, (_, n) => `l${n}=v`).join(" ")}`],
    ["ports", `FROM scratch\nEXPOSE ${filled("1-65535 ")}`],
    ["mounts", `FROM scratch\nRUN ${filled("--mount=type=tmpfs,target=/a ")} x`],
  ];
}

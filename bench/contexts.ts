import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from "node:fs";
import path from "node:path";
import { writeContext } from "../fixtures/testBuilder.js";

/** One row of the table: how its context is made, and what is done before each measured build. */
export interface BenchCase {
  readonly id: string;
  readonly title: string;
  /** Share of buildah's time that is wanted. */
  readonly target: number;
  /** Also measured with an OCI tar written. */
  readonly exports: boolean;
  /** Build once before, so that the measured build finds a cache. */
  readonly warm: boolean;
  make(dir: string, base: string): void;
  /** Changes the context before the nth measured build. */
  change?(dir: string, round: number): void;
}

/** The rows of the table, in order. */
export const benchCases: readonly BenchCase[] = [
  {
    id: "a",
    title: "fully cached: 12 steps, 3 stages, 2,000 files",
    target: 0.13,
    exports: false,
    warm: true,
    make: (dir, base) => {
      manyFiles(path.join(dir, "src"), 2000, 100);
      writeContext(dir, { Dockerfile: threeStages(base) });
    },
  },
  {
    id: "b",
    title: "one file of 50,000 changed, all copied again",
    target: 0.3,
    exports: true,
    warm: true,
    make: (dir, base) => {
      manyFiles(path.join(dir, "src"), 50_000, 500);
      writeContext(dir, { Dockerfile: `FROM ${base}\nCOPY . /app\n` });
    },
    change: (dir, round) => writeFileSync(path.join(dir, "src/d0/f0"), `changed ${round} ${process.pid}\n`),
  },
  {
    id: "c",
    title: "50 RUN steps, uncached",
    target: 0.1,
    exports: false,
    warm: false,
    make: (dir, base) => void writeContext(dir, { Dockerfile: `FROM ${base}\nARG ROUND\n${lines(50, (i) => `RUN echo ${i} > /file${i}`)}` }),
  },
  {
    id: "d",
    title: "16 independent stages of `sleep 1`, joined",
    target: 0.1,
    exports: false,
    warm: false,
    make: (dir, base) => void writeContext(dir, { Dockerfile: parallelStages(base) }),
  },
  {
    id: "e",
    title: "20,000 files copied, all changed by a RUN",
    target: 0.5,
    exports: true,
    warm: false,
    make: (dir, base) => {
      manyFiles(path.join(dir, "src"), 20_000, 200, 4096);
      writeContext(dir, { Dockerfile: `FROM ${base}\nARG ROUND\nRUN true\nCOPY src /app\nRUN chmod -R g+w /app\n` });
    },
  },
  {
    id: "f",
    title: "a 1 GiB file copied",
    target: 0.6,
    exports: true,
    warm: false,
    make: (dir, base) => {
      writeContext(dir, { Dockerfile: `FROM ${base}\nARG ROUND\nRUN true\nCOPY big /big\n` });
      bigFile(path.join(dir, "big"), 1024);
    },
  },
];

function lines(count: number, line: (index: number) => string): string {
  return Array.from({ length: count }, (_, index) => `${line(index)}\n`).join("");
}

function threeStages(base: string): string {
  return [
    `FROM ${base} AS deps`,
    "WORKDIR /deps",
    "COPY src/d0 /deps",
    "RUN cat * > /all",
    `FROM ${base} AS build`,
    "WORKDIR /build",
    "COPY src /build",
    "COPY --from=deps /all /build/all",
    "RUN wc -c all > size",
    `FROM ${base}`,
    "ENV MODE=production",
    "WORKDIR /app",
    "COPY --from=build /build/size /app/size",
    "RUN cat size",
    'CMD ["cat", "/app/size"]',
    "",
  ].join("\n");
}

function parallelStages(base: string): string {
  const stages = lines(16, (i) => `FROM ${base} AS s${i}\nARG ROUND\nRUN sleep 1; echo ${i} > /out${i}`);
  return `${stages}FROM ${base}\n${lines(16, (i) => `COPY --from=s${i} /out${i} /`)}`;
}

/** `count` files in directories of `each`, with content that gzip finds some work in. */
export function manyFiles(dir: string, count: number, each: number, size = 600): void {
  for (let i = 0; i < count; i++) {
    const folder = path.join(dir, `d${Math.floor(i / each)}`);
    if (i % each === 0) mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(folder, `f${i}`), textOf(i, size));
  }
}

function textOf(seed: number, size: number): string {
  let text = "";
  for (let i = 0; text.length < size; i++) text += `line ${i} of file ${seed}: ${((seed * 2654435761 + i * 40503) >>> 0).toString(36)}\n`;
  return text.slice(0, size);
}

/** Half of it compresses, half does not. */
function bigFile(file: string, mebibytes: number): void {
  const fd = openSync(file, "w");
  const words = new Uint32Array(256 * 1024);
  let state = 1;
  for (let mb = 0; mb < mebibytes; mb++) {
    for (let i = 0; i < words.length; i++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      words[i] = i % 2 === 0 ? state : mb;
    }
    writeSync(fd, words);
  }
  closeSync(fd);
}

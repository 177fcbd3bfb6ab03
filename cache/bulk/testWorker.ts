// The worker script of pool.test.ts: jobs that show one behaviour of the pool each.
import fs from "node:fs";
import { TbuildError } from "../errors.js";
import type { JobContext } from "./jobs.js";
import { serveJobs } from "./serve.js";
import type { Job } from "./serve.js";

const pause = (ms: number) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);

const jobs = {
  echo: (input: unknown) => input,
  fail: () => {
    throw new TbuildError("path_escape", "Cannot leave", { hint: "Stay" });
  },
  bug: () => {
    throw new Error("a bug");
  },
  crash: () => process.exit(3),
  // Counts the chunks that it could emit in a file, so that the other side can see it wait.
  emit: ({ count, size, log }: { count: number; size: number; log: string | null }, ctx: JobContext) => {
    const pooled = Buffer.from("xx");
    for (let i = 0; i < count; i++) {
      const chunk = size === 0 ? pooled.subarray(0, 1) : new Uint8Array(size).fill(i);
      ctx.emit(chunk);
      if (log !== null) fs.writeFileSync(log, String(i + 1));
      ctx.tick(size, 1);
    }
    return null;
  },
  untilCancelled: (_: unknown, ctx: JobContext) => {
    for (;;) {
      ctx.tick(1, 0);
      pause(2);
    }
  },
  together: ({ barrier, parties }: { barrier: SharedArrayBuffer; parties: number }) => {
    const cell = new Int32Array(barrier);
    Atomics.add(cell, 0, 1);
    while (Atomics.load(cell, 0) < parties) pause(1);
    return "met";
  },
};

serveJobs(Object.fromEntries(Object.entries(jobs).map(([name, job]) => [name, async () => job as Job])));

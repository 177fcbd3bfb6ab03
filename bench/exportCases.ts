import { createHash } from "node:crypto";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { createGzip } from "../cache/diff/gzip.js";
import { makeImage, makeIndex, startRegistry } from "../fixtures/registry.js";
import { writeContext } from "../fixtures/testBuilder.js";
import type { Bench } from "./bench.js";
import type { Buildkit } from "./buildkit.js";
import { measure, run } from "./process.js";
import { systemFiles } from "./systemFiles.js";
import { compare, print, type Contender } from "./table.js";
import { BENCH_BASE, tbuildAt, type Tool } from "./tools.js";

/** (i): a layer of 200 MB that was built before is compressed into an OCI tar. */
export async function gzipCase({ tools, buildkit, rounds, work }: Bench): Promise<void> {
  const [dir, tar] = [path.join(work, "i"), path.join(work, "i.tar")];
  systemFiles(path.join(dir, "files"));
  writeContext(dir, { Dockerfile: "FROM scratch\nCOPY files /\n" });
  const targets = { buildah: "-", buildkit: "0.6" };
  const contenders = tools.map((tool) => exporter(tool, dir, tar));
  if (buildkit !== null) contenders.push(buildkitExporter(buildkit, dir, tar));
  await compare("(i) layer of 200 MB written as a gzip OCI tar", rounds, contenders, targets);
  await sameBytes(tar, tools[0]!, dir);
  rmSync(tar, { force: true });
}

/** A new layer for each round, so that nobody has it compressed already. */
function change(dir: string, text: string): void {
  writeFileSync(path.join(dir, "files/changed"), `${text}\n`);
}

function exporter(tool: Tool, dir: string, tar: string): Contender {
  return {
    name: tool.name,
    prepare: (round) => {
      rmSync(tar, { force: true });
      change(dir, `${tool.name} ${round}`);
      run(tool.build(dir, "warm", null), tool.env);
    },
    run: () => measure(tool.build(dir, "warm", tar), tool.env),
  };
}

function buildkitExporter(buildkit: Buildkit, dir: string, tar: string): Contender {
  return {
    name: "buildkit",
    prepare: (round) => {
      rmSync(tar, { force: true });
      change(dir, `buildkit ${round}`);
      run(buildkit.build(dir, null));
    },
    run: () => measure(buildkit.build(dir, tar), process.env),
  };
}

/** Says whether one, two and eight workers make the same gzip bytes. */
async function sameBytes(tar: string, tool: Tool, dir: string): Promise<void> {
  run(tool.build(dir, "warm", tar), tool.env);
  const data = readFileSync(tar);
  const digests = new Set<string>();
  for (const concurrency of [1, 2, 8]) {
    const hash = createHash("sha256");
    const gzip = createGzip((chunk) => void hash.update(chunk), { concurrency });
    await gzip.write(data);
    await gzip.end();
    digests.add(hash.digest("hex"));
  }
  print([`    bytes of 1, 2 and 8 workers: ${digests.size === 1 ? "identical" : "different"}`]);
}

const STEPS = 8;

/** (j): a build for two platforms of which everything is cached, beside that for one of them. */
export async function platformsCase({ tools, rounds, work }: Bench): Promise<void> {
  await using registry = await startRegistry();
  const dir = path.join(work, "j");
  registry.push(`oci:${twoPlatforms(path.join(work, "j-base"))}:both`, "bench/base:1");
  const files = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`src/file${index}`, `file ${index}\n`]));
  writeContext(dir, { ...files, Dockerfile: crossBuild(`${registry.host}/bench/base:1`) });
  const { disk, env } = tools[0]!;
  const program = [...tbuildAt(path.join(disk, "store")), "build", "--progress", "plain", "-t", "bench:platforms", "--platform"];
  const contender = (name: string, platforms: string): Contender => ({ name, run: () => measure([...program, platforms, dir], env) });
  run([...program, "linux/amd64,linux/arm64", dir], env);
  const contenders = [contender("two", "linux/amd64,linux/arm64"), contender("one", "linux/amd64")];
  await compare("(j) fully cached, for two platforms and for one", rounds * 3, contenders, { one: "1.3" });
}

function twoPlatforms(layout: string): string {
  const entries = ["amd64", "arm64"].map((architecture) => {
    const platform = { os: "linux", architecture };
    makeImage(layout, architecture, [{ "etc/arch": architecture }], { platform });
    return { tag: architecture, platform };
  });
  makeIndex(layout, "both", entries);
  return layout;
}

/** Compiled on this machine for each platform, as Go and Rust programs are. */
function crossBuild(base: string): string {
  const steps = Array.from({ length: STEPS }, (_, step) => `RUN cat * > /out/${step}-$TARGETARCH\n`);
  return [
    `FROM --platform=$BUILDPLATFORM ${BENCH_BASE} AS build`,
    "WORKDIR /src",
    "COPY src .",
    "RUN mkdir /out",
    "ARG TARGETARCH",
    `${steps.join("")}FROM ${base}`,
    "COPY --from=build /out /out",
    "",
  ].join("\n");
}

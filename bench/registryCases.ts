import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { startRegistry } from "../fixtures/registry.js";
import { startRegistryProxy, type RegistryProxy } from "../fixtures/registryProxy.js";
import { writeContext } from "../fixtures/testBuilder.js";
import type { Bench } from "./bench.js";
import type { Buildkit } from "./buildkit.js";
import { measure, measureBeside, run } from "./process.js";
import { systemFiles } from "./systemFiles.js";
import { compare, print, type Contender } from "./table.js";
import { tbuildAt, type Tool } from "./tools.js";

/** (g): an image of 200 MB in five layers is pulled and unpacked, into an empty store each time. */
export async function pullCase({ tools, buildkit, rounds, work }: Bench): Promise<void> {
  await using registry = await startRegistry();
  const dir = path.join(work, "g");
  mkdirSync(dir);
  const name = `${registry.host}/bench/system:1`;
  writeContext(dir, { Dockerfile: `FROM scratch\n${systemFiles(dir).map((part) => `COPY ${part} /\n`).join("")}CMD ["true"]\n` });
  const [own] = tools;
  run([...tbuildAt(path.join(own!.disk, "made")), "build", "-t", name, "--push", dir], own!.env);
  await compare("(g) 200 MB image pulled and unpacked", rounds, tools.map((tool) => puller(tool, name)), { buildah: "0.7" });
  if (buildkit !== null) await pullInBuild(name, { tools, buildkit, rounds, work });
}

function puller(tool: Tool, name: string): Contender {
  return {
    name: tool.name,
    // Not removed in between: see makeDisk().
    run: (round) => measure(tool.pull(name, path.join(tool.disk, `pull-${round}`)), tool.env),
  };
}

/** BuildKit pulls for builds only, and unpacks what a step needs. */
async function pullInBuild(name: string, { tools, buildkit, rounds, work }: Bench & { readonly buildkit: Buildkit }): Promise<void> {
  const dir = path.join(work, "g-build");
  writeContext(dir, { Dockerfile: `FROM ${name}\nCOPY Dockerfile /\n` });
  const own = tools[0]!;
  const contenders: readonly Contender[] = [
    { name: own.name, run: (round) => measure([...tbuildAt(path.join(own.disk, `build-${round}`)), "build", dir], own.env) },
    { name: "buildkit", prepare: () => buildkit.prune(), run: () => measure(buildkit.build(dir, null), process.env) },
  ];
  await compare("(g) the same as the base of a build with one COPY", rounds, contenders, { buildkit: "0.8" });
}

const LAYERS = 10;

/** (h): an image is pushed again after one of its ten layers has changed. */
export async function pushCase({ tools, rounds, work }: Bench): Promise<void> {
  await using registry = await startRegistry();
  await using proxy = await startRegistryProxy(registry.host);
  const dir = path.join(work, "h");
  tenLayers(dir);
  const sent = new Map<string, string>();
  const contenders = tools.map((tool) => pusher(tool, dir, proxy, sent));
  for (const [index, tool] of tools.entries()) {
    contenders[index]!.prepare?.(-1);
    await measureBeside(tool.push(nameOf(tool, proxy)), tool.env);
  }
  await compare("(h) one layer of ten changed, pushed", rounds, contenders, {});
  for (const [name, text] of sent) print([`    ${name} sent: ${text}`]);
}

function tenLayers(dir: string): void {
  for (let layer = 0; layer < LAYERS; layer++) {
    const words = Uint32Array.from({ length: 2 << 20 }, (_, index) => Math.imul(index + 1, 2654435761 + layer));
    mkdirSync(path.join(dir, String(layer)), { recursive: true });
    writeFileSync(path.join(dir, String(layer), "data"), words);
  }
  const steps = Array.from({ length: LAYERS }, (_, layer) => `COPY ${layer} /layer${layer}\n`);
  writeContext(dir, { Dockerfile: `FROM scratch\n${steps.join("")}` });
}

function pusher(tool: Tool, dir: string, proxy: RegistryProxy, sent: Map<string, string>): Contender {
  return {
    name: tool.name,
    prepare: (round) => {
      writeFileSync(path.join(dir, String(LAYERS - 1), "changed"), `${tool.name} ${round}\n`);
      run(tool.build(dir, "warm", null, nameOf(tool, proxy)), tool.env);
      proxy.reset();
    },
    run: async () => {
      const sample = await measureBeside(tool.push(nameOf(tool, proxy)), tool.env);
      const uploads = proxy.uploads();
      const kilobytes = uploads.map((bytes) => (bytes / 1000).toFixed(1)).join(", ");
      sent.set(tool.name, `${uploads.length} blobs (${kilobytes} kB) in ${proxy.seen(/^/).length} requests`);
      return sample;
    },
  };
}

function nameOf(tool: Tool, proxy: RegistryProxy): string {
  return `${proxy.host}/bench/${tool.name}:1`;
}

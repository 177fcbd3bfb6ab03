import { mkdirSync } from "node:fs";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { buildxMissing, type DaemonProcess, runBuildx, startDaemonProcess } from "../fixtures/buildx.js";
import { dockerMissing, startDocker } from "../fixtures/dockerEngine.js";
import type { Ended } from "../fixtures/tbuildProcess.js";
import { writeContext } from "../fixtures/testBuilder.js";
import type { Bench } from "./bench.js";
import { benchCases, manyFiles } from "./contexts.js";
import { makeDisk } from "./disk.js";
import { run, type Sample } from "./process.js";
import { compare, type Contender, print } from "./table.js";
import { baseTar, BENCH_BASE, tbuildAt } from "./tools.js";

/** A daemon behind buildx. */
interface Peer {
  readonly name: string;
  buildx(words: readonly string[]): { readonly ended: Promise<Ended> };
}

const FILES = 20_000;
const CLIENTS = 16;

/** (k) to (m): builds of Docker's buildx by tbuildd, beside those by Docker's engine where there is one. */
export async function daemonCases({ rounds, work }: Bench, wanted: (id: string) => boolean): Promise<void> {
  const missing = buildxMissing();
  if (missing !== false) return print([`(k) to (m): ${missing}`]);
  const disk = makeDisk(work, "daemon");
  try {
    const root = path.join(disk.path, "store");
    const tar = baseTar(path.join(work, "daemon-base"));
    run([...tbuildAt(root), "image", "import", tar, BENCH_BASE]);
    await using daemon = await startDaemonProcess(root, path.join(disk.path, "run"));
    await beside(daemon, { tar, disk: disk.path, rounds, work, wanted });
    if (wanted("m")) await manyClients(daemon, work, rounds);
  } finally {
    disk.remove();
  }
}

interface Beside extends Pick<Bench, "rounds" | "work"> {
  readonly tar: string;
  readonly disk: string;
  wanted(id: string): boolean;
}

async function beside(daemon: DaemonProcess, { tar, disk, rounds, work, wanted }: Beside): Promise<void> {
  if (!wanted("k") && !wanted("l")) return;
  const own: Peer = { name: "tbuildd", buildx: (words) => daemon.buildx(words) };
  if (dockerMissing() !== false) return await cases([own], { rounds, work, wanted });
  const otherDisk = makeDisk(work, "docker");
  try {
    await using engine = await startDocker([], { storage: "overlay2", below: otherDisk.path });
    engine.docker("import", "-c", "ENV PATH=/usr/sbin:/usr/bin:/sbin:/bin", tar, BENCH_BASE);
    const env = { DOCKER_HOST: engine.host, HOME: disk, BUILDX_CONFIG: path.join(disk, "docker-buildx") };
    await cases([own, { name: "docker", buildx: (words) => runBuildx(["--builder", "default", ...words], { env }) }], { rounds, work, wanted });
  } finally {
    otherDisk.remove();
  }
}

async function cases(peers: readonly Peer[], { rounds, work, wanted }: Omit<Beside, "tar" | "disk">): Promise<void> {
  if (wanted("k")) {
    const dir = path.join(work, "k");
    mkdirSync(dir);
    benchCases.find(({ id }) => id === "a")!.make(dir, BENCH_BASE);
    for (const peer of peers) await build(peer, dir, "warm");
    await compare("(k) the context of (a), by buildx, all cached", rounds, peers.map((peer) => contender(peer, () => dir)), { docker: "0.6" });
  }
  if (!wanted("l")) return;
  const dirs = Array.from({ length: rounds }, (_, round) => {
    const dir = path.join(work, `l-${round}`);
    manyFiles(path.join(dir, "src"), FILES, 500);
    writeContext(dir, { Dockerfile: `FROM ${BENCH_BASE}\nCOPY src /src\n`, "src/round": String(round) });
    return dir;
  });
  await compare("(l) 20,000 files sent for the first time, and copied", rounds, peers.map((peer) => contender(peer, (round) => dirs[round]!)), { docker: "0.8" });
}

function contender(peer: Peer, dirOf: (round: number) => string): Contender {
  return { name: peer.name, run: (round) => build(peer, dirOf(round), `${round}`) };
}

/** Memory is the daemon's, and not measured here. */
async function build(peer: Peer, dir: string, round: string): Promise<Sample> {
  // The engine has no network of its own.
  const output = peer.name === "docker" ? ["--network", "host"] : ["--output", "type=image,name=bench:1"];
  const begin = performance.now();
  const { status, stderr } = await peer.buildx(["build", "--progress", "plain", "--provenance=false", "-t", "bench:1", "--build-arg", `ROUND=${round}`, ...output, dir]).ended;
  if (status !== 0) throw new Error(stderr);
  return { seconds: (performance.now() - begin) / 1000, peakMb: 0 };
}

/** (m): the same Dockerfile, of which nothing is cached, for one client and for sixteen at once. */
async function manyClients(daemon: DaemonProcess, work: string, rounds: number): Promise<void> {
  const dir = path.join(work, "m");
  const steps = Array.from({ length: 8 }, (_, n) => `RUN head -c 4000000 /dev/urandom | gzip > /file${n} && sleep 1`).join("\n");
  writeContext(dir, { Dockerfile: `FROM ${BENCH_BASE}\nARG ROUND\n${steps}\n` });
  const peer: Peer = { name: "tbuildd", buildx: (words) => daemon.buildx(words) };
  const together = (name: string, clients: number): Contender => ({
    name,
    async run(round) {
      await delay(500);
      const samples = await Promise.all(Array.from({ length: clients }, () => build(peer, dir, `${name}-${round}`)));
      return { seconds: Math.max(...samples.map(({ seconds }) => seconds)), peakMb: 0 };
    },
  });
  await compare("(m) 8 steps, uncached, for 16 clients at once", rounds, [together("sixteen", CLIENTS), together("one", 1)], { one: "1.1" });
}

import { parseRamSize } from "../../cache/ramSize.js";
import type { LinuxResources } from "../../solver/llb/op.js";
import { unknownWord, usage } from "../usage.js";

/** A limit of a process, as `ulimit` shows it; -1 is unlimited. */
export interface Ulimit {
  readonly name: string;
  readonly soft: number;
  readonly hard: number;
}

const ULIMITS = [
  "core", "cpu", "data", "fsize", "locks", "memlock", "msgqueue", "nice", "nofile", "nproc", "rss", "rtprio", "rttime", "sigpending", "stack",
];

/** `--ulimit NAME=SOFT[:HARD]`. @throws {TbuildError} usage */
export function parseUlimit(text: string): Ulimit {
  const [, name, first, second] = /^([^=]+)=(-?\d+)(?::(-?\d+))?$/.exec(text) ?? [];
  if (name === undefined || first === undefined) throw usage(`Cannot read --ulimit "${text}"`, "Write --ulimit NAME=SOFT[:HARD], for example nofile=1024:2048");
  if (!ULIMITS.includes(name)) throw unknownWord("limit", name, ULIMITS);
  const [soft, hard] = [Number(first), Number(second ?? first)];
  if (hard !== -1 && (soft > hard || soft === -1)) throw usage(`Cannot use --ulimit "${text}": the soft limit is above the hard one`, "Write SOFT:HARD");
  return { name, soft, hard };
}

/** A size for `flag`, "64m". @throws {TbuildError} usage */
export function parseMemory(text: string, flag: string): number {
  const size = parseRamSize(text);
  if (size === null) throw usage(`Cannot use "${text}" for ${flag}: it is no size`, "Write a number of bytes, or 64m, 1g");
  return size;
}

const RESOURCES: Readonly<Record<string, (text: string, flag: string) => Partial<LinuxResources>>> = {
  memory: (text, flag) => ({ memory: parseMemory(text, flag) }),
  "memory-swap": (text, flag) => ({ memorySwap: text === "-1" ? -1 : parseMemory(text, flag) }),
  "cpu-shares": (text, flag) => ({ cpuShares: count(text, flag) }),
  "cpu-period": (text, flag) => ({ cpuPeriod: count(text, flag) }),
  "cpu-quota": (text, flag) => ({ cpuQuota: count(text, flag) }),
  "cpuset-cpus": (text, flag) => ({ cpusetCpus: cpuset(text, flag) }),
  "cpuset-mems": (text, flag) => ({ cpusetMems: cpuset(text, flag) }),
};

/** What `--resource` can limit. */
export const resourceNames: readonly string[] = Object.keys(RESOURCES);

/** `--resource NAME=VALUE`, each a limit of every RUN; undefined when there is none. @throws {TbuildError} usage */
export function parseResources(pairs: readonly (readonly [string, string])[]): Partial<LinuxResources> | undefined {
  if (pairs.length === 0) return undefined;
  const limits = pairs.map(([name, value]) => {
    const read = RESOURCES[name];
    if (read === undefined) throw unknownWord("resource", name, resourceNames);
    return read(value, `--resource ${name}`);
  });
  return Object.assign({}, ...limits) as Partial<LinuxResources>;
}

function count(text: string, flag: string): number {
  if (!/^\d{1,15}$/.test(text)) throw usage(`Cannot use "${text}" for ${flag}: it is no number`, "Write a whole number");
  return Number(text);
}

function cpuset(text: string, flag: string): string {
  if (!/^\d+(?:-\d+)?(?:,\d+(?:-\d+)?)*$/.test(text)) throw usage(`Cannot use "${text}" for ${flag}`, "Write a list such as 0-3,5");
  return text;
}

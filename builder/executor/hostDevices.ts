import { readdirSync } from "node:fs";

/** A device node that a container gets. Source: OCI runtime-spec config-linux.md "Devices". */
export interface DeviceNode {
  readonly path: string;
  readonly type: "c" | "b" | "u" | "p";
  readonly major?: number;
  readonly minor?: number;
  /** Permission bits. */
  readonly fileMode?: number;
  readonly uid?: number;
  readonly gid?: number;
}

/** What an insecure step finds in /dev besides the usual; numbers as the kernel assigns them (devices.txt). */
const INSECURE_DEVICES: readonly DeviceNode[] = [
  { path: "/dev/kmsg", type: "c", major: 1, minor: 11 },
  { path: "/dev/cuse", type: "c", major: 10, minor: 203 },
  { path: "/dev/fuse", type: "c", major: 10, minor: 229 },
  { path: "/dev/kvm", type: "c", major: 10, minor: 232 },
  { path: "/dev/net/tun", type: "c", major: 10, minor: 200 },
  { path: "/dev/loop-control", type: "c", major: 10, minor: 237 },
];

const SPARE_LOOPS = 8;

/** Device nodes of a step with `--security=insecure`: BuildKit's list, with some loop devices beyond those there are. */
export function insecureDevices(loops = highestLoop() + SPARE_LOOPS): readonly DeviceNode[] {
  const loop = (minor: number): DeviceNode => ({ path: `/dev/loop${minor}`, type: "b", major: 7, minor });
  return [...INSECURE_DEVICES, ...Array.from({ length: loops + 1 }, (_, minor) => loop(minor))];
}

/** -1 for none. */
function highestLoop(): number {
  const numbers = readdirSync("/dev").flatMap((name) => /^loop(\d+)$/.exec(name)?.[1] ?? []);
  return Math.max(-1, ...numbers.map(Number));
}

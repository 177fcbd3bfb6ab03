import { readFileSync } from "node:fs";
import { MNT_DETACH, umount2 } from "./sys/mount.js";

const MOUNT_POINT = 4;

/**
 * Paths of everything mounted below `dir` in this mount namespace, innermost and latest first, as raw bytes.
 * Source: proc(5), /proc/pid/mountinfo.
 */
export function mountsBelow(dir: string): readonly Buffer[] {
  const prefix = Buffer.from(`${dir}/`).toString("latin1");
  return readFileSync("/proc/self/mountinfo", "latin1")
    .split("\n")
    .map((line) => unescapeOctal(line.split(" ")[MOUNT_POINT] ?? ""))
    .filter((point) => point.startsWith(prefix))
    .reverse()
    .sort((a, b) => depthOf(b) - depthOf(a))
    .map((point) => Buffer.from(point, "latin1"));
}

/** Detaches everything mounted below `dir`; `dir` itself stays as it is. */
export function unmountBelow(dir: string): void {
  for (const point of mountsBelow(dir)) umount2(point, MNT_DETACH);
}

function depthOf(point: string): number {
  return point.split("/").length;
}

function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}

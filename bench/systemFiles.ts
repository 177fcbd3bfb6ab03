import { copyFileSync, lstatSync, mkdirSync, readdirSync, readlinkSync, symlinkSync } from "node:fs";
import path from "node:path";

const MIB = 1 << 20;

/** Where files of this machine are taken from, and how many MiB of each: libraries, headers, documents, scripts and programs, 200 MiB. */
const parts: readonly (readonly [string, number])[] = [
  ["usr/lib/x86_64-linux-gnu", 70],
  ["usr/include", 30],
  ["usr/share", 40],
  ["usr/lib/python3", 20],
  ["usr/bin", 40],
];

/** Copies what an ordinary image holds, large files and thousands of small ones, into `dir`/0 to `dir`/4. Returns the five names. */
export function systemFiles(dir: string): readonly string[] {
  return parts.map(([from, mebibytes], index) => {
    takeFiles(path.join("/", from), path.join(dir, String(index), from), mebibytes * MIB);
    return String(index);
  });
}

/** Copies files and symlinks in the order of their names until there are so many bytes. Returns how many there are. */
function takeFiles(from: string, to: string, bytes: number): number {
  let taken = 0;
  mkdirSync(to, { recursive: true });
  for (const name of readdirSync(from).sort()) {
    const [source, target] = [path.join(from, name), path.join(to, name)];
    const stat = lstatSync(source);
    if (stat.isDirectory()) taken += takeFiles(source, target, bytes - taken);
    else if (stat.isSymbolicLink()) symlinkSync(readlinkSync(source), target);
    else if (stat.isFile() && stat.size <= bytes - taken) {
      copyFileSync(source, target);
      taken += stat.size;
    }
    if (taken >= bytes) break;
  }
  return taken;
}

import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import path from "node:path";
import { run } from "./process.js";

/** A place for one tool's store. */
export interface Disk {
  readonly path: string;
  /** Unmounts and removes it. */
  remove(): void;
}

/**
 * A fresh ext4 of its own on a loop device. ext4 does not use inodes again for minutes after they were freed, and scans
 * past them at every creation: on one file system the files that one tool deletes would slow down the other.
 */
export function makeDisk(work: string, name: string): Disk {
  const [image, dir] = [path.join(work, `${name}.ext4`), path.join(work, name)];
  mkdirSync(dir);
  run(["truncate", "-s", "40G", image]);
  run(["mkfs.ext4", "-q", "-F", "-E", "nodiscard", image]);
  run(["mount", "-o", "loop,noinit_itable", image, dir]);
  return {
    path: dir,
    remove() {
      spawnSync("umount", ["--recursive", dir]);
      rmSync(image, { force: true });
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

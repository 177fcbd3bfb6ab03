import { accessSync, constants, existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { TbuildError } from "../../cache/errors.js";

/** 2 only when the unified hierarchy is the only one; a hybrid host counts as 1. */
export function cgroupVersion(): 1 | 2 {
  return existsSync("/sys/fs/cgroup/cgroup.controllers") ? 2 : 1;
}

/** How many processes the kernel's out-of-memory killer has ended since boot; 0 where the kernel does not say. */
export function oomKills(): number {
  const match = /^oom_kill (\d+)$/m.exec(readFileSync("/proc/vmstat", "utf8"));
  return match === null ? 0 : Number(match[1]);
}

/** Absolute path of a program. @throws {TbuildError} unavailable when it is not installed */
export function findProgram(name: string): string {
  const dirs = name.includes("/") ? [""] : [...(process.env["PATH"] ?? "").split(":"), "/usr/sbin", "/sbin", "/usr/local/sbin"];
  for (const dir of dirs) {
    const file = path.resolve(dir, name);
    if (isExecutable(file)) return file;
  }
  throw new TbuildError("unavailable", `Cannot find "${name}", which runs the steps of a build`, {
    hint: "Install it (Debian: apt-get install runc), or name another runtime with --oci-runtime",
  });
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

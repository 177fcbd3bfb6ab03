import { execFileSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";

/** A directory of a test. */
export interface TempDir extends AsyncDisposable {
  /** Absolute path. */
  readonly path: string;
}

/** A fresh directory, removed with everything in it on disposal. For tests. */
export async function tempDir(): Promise<TempDir> {
  const dir = await mkdtemp(path.join(os.tmpdir(), "tbuild-test-"));
  return { path: dir, [Symbol.asyncDispose]: () => rm(dir, { recursive: true, force: true }) };
}

/** A fresh tmpfs of `size` (as in mount's `size=`), unmounted on disposal; null where we may not mount. For tests. */
export async function mountTmpfs(size: string): Promise<TempDir | null> {
  const dir = await tempDir();
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${size}`, "tbuild-test", dir.path], { stdio: "ignore" });
  } catch {
    await dir[Symbol.asyncDispose]();
    return null;
  }
  return {
    path: dir.path,
    [Symbol.asyncDispose]: async () => {
      execFileSync("umount", ["--lazy", dir.path]);
      await dir[Symbol.asyncDispose]();
    },
  };
}

import fs from "node:fs";
import { isErrno } from "../sys/libc.js";
import { bindMount, MNT_DETACH, moveMount, umount2 } from "../sys/mount.js";
import { openOverlay } from "./openOverlay.js";
import type { Mount } from "./snapshotter.js";

/**
 * A tree that can be read, and written when its mount is writable. Disposing twice is harmless; files still open then
 * stay usable.
 */
export interface MountedTree extends AsyncDisposable {
  /**
   * Directory of the tree's root, for `${path}/etc/passwd`; valid in every thread of this process. Without `at` it can be
   * a link below /proc/self/fd: lstat of the root itself must ask for `${path}/.`, realpath is of no use, and a
   * child process sees nothing there.
   */
  readonly path: string;
}

/**
 * Makes a snapshot visible. A bind of a plain directory is used in place (its `readonly` is then a promise of the caller),
 * an overlay becomes a detached mount that no mount table shows and that ends with the process, even by SIGKILL.
 *
 * With `at`, for other programs such as a container runtime: mounted at that directory, which is created when missing and
 * removed at the end. What a killed process leaves there must be unmounted by the next one.
 *
 * @throws {TbuildError} unsupported, permission_denied when the kernel refuses the overlay
 */
export async function mountTree(mount: Mount, at?: string): Promise<MountedTree> {
  if (at !== undefined) return mountAt(mount, at);
  if (mount.type === "bind") return { path: mount.source, async [Symbol.asyncDispose]() {} };
  const only = onlyLower(mount);
  if (only !== null) return { path: only, async [Symbol.asyncDispose]() {} };
  return detached(openOverlay(mount));
}

function detached(fd: number): MountedTree {
  let open = true;
  return {
    // With "/.", so that lstat of the root sees the directory and not the link.
    path: `/proc/self/fd/${fd}/.`,
    async [Symbol.asyncDispose]() {
      if (open) fs.closeSync(fd);
      open = false;
    },
  };
}

function mountAt(mount: Mount, at: string): MountedTree {
  fs.mkdirSync(at, { recursive: true });
  try {
    attach(mount, at);
  } catch (error) {
    fs.rmdirSync(at);
    throw error;
  }
  let mounted = true;
  return {
    path: at,
    async [Symbol.asyncDispose]() {
      if (mounted) unmountAt(at);
      mounted = false;
    },
  };
}

function attach(mount: Mount, at: string): void {
  if (mount.type === "bind") return bindMount(mount.source, at, mount.readonly ? "readonly" : "writable");
  const only = onlyLower(mount);
  if (only !== null) return bindMount(only, at, "readonly");
  const fd = openOverlay(mount);
  try {
    moveMount(fd, at);
  } finally {
    fs.closeSync(fd);
  }
}

/** Unmounts what is mounted at a directory and removes the directory. Neither being there is a success. */
export function unmountAt(at: string): void {
  ignoring(() => umount2(at, MNT_DETACH), "EINVAL", "ENOENT");
  ignoring(() => fs.rmdirSync(at), "ENOENT");
}

function ignoring(action: () => void, ...codes: readonly string[]): void {
  try {
    action();
  } catch (error) {
    if (!isErrno(error, ...codes)) throw error;
  }
}

// The kernel refuses an overlay of one read-only directory, which would show just that directory.
function onlyLower(mount: Extract<Mount, { type: "overlay" }>): string | null {
  return mount.upper === undefined && mount.lower.length === 1 ? (mount.lower[0] ?? null) : null;
}

import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fromSystemError, TbuildError } from "../errors.js";
import { isErrno } from "../sys/libc.js";
import {
  cloneMount,
  fsconfigCreate,
  fsconfigSet,
  fsmount,
  fsopen,
  MNT_DETACH,
  mount as mountSync,
  MOUNT_ATTR_RDONLY,
  MS_RDONLY,
  umount2,
} from "../sys/mount.js";
import type { Mount } from "./snapshotter.js";

/** An overlay as snapshotter.ts describes it. */
export type OverlayMount = Extract<Mount, { type: "overlay" }>;

/** `fsconfig` takes lower directories one by one (Linux 6.8), `mount` as one page of text. */
export type OverlayApi = "fsconfig" | "mount";

/** The kernel's limit of lower directories. Source: fs/overlayfs, OVL_MAX_STACK */
export const MAX_LOWER = 500;

const MAX_VALUE_BYTES = 255; // of one fsconfig string
const MAX_PAGE_BYTES = 4095; // of all options of mount(2)

/**
 * Mounts an overlay and returns a file descriptor of the detached mount: closing it unmounts.
 *
 * @throws {TbuildError} unsupported, permission_denied, resource_exhausted
 */
export function openOverlay(mount: OverlayMount, api: OverlayApi = kernelApi(os.release())): number {
  if (mount.lower.length > MAX_LOWER) throw tooLong(mount);
  if (mount.work !== undefined) forgetCrash(mount.work);
  const names = shortNames();
  try {
    return api === "fsconfig" ? byFsconfig(mount, names) : byMount(mount, names);
  } catch (error) {
    throw overlayError(error);
  } finally {
    names.close();
  }
}

/** The way this kernel takes lower directories, from a release such as "6.1.0-18-amd64". */
export function kernelApi(release: string): OverlayApi {
  const [major = 0, minor = 0] = release.split(".").map((part) => Number.parseInt(part, 10));
  return major > 6 || (major === 6 && minor >= 8) ? "fsconfig" : "mount";
}

/**
 * Options that keep an upper directory a plain diff: no redirects, no metadata-only copies. `volatile` skips the sync of
 * the whole upper file system that an unmount would wait for.
 */
function flags(mount: OverlayMount): readonly (readonly [string, string?])[] {
  return [
    ["redirect_dir", "off"],
    ["metacopy", "off"],
    ["index", "off"],
    ["xino", "off"],
    ...(inUserNamespace() ? [["userxattr"] as const] : []),
    ...(mount.upper === undefined ? [] : [["volatile"] as const]),
  ];
}

function byFsconfig(mount: OverlayMount, names: ShortNames): number {
  const context = fsopen("overlay");
  try {
    for (const lower of mount.lower) fsconfigSet(context, "lowerdir+", names.of(lower));
    if (mount.upper !== undefined) fsconfigSet(context, "upperdir", names.of(mount.upper));
    if (mount.work !== undefined) fsconfigSet(context, "workdir", names.of(mount.work));
    for (const [key, value] of flags(mount)) setIfKnown(context, key, value);
    fsconfigCreate(context);
    return fsmount(context, mount.upper === undefined ? MOUNT_ATTR_RDONLY : 0);
  } finally {
    fs.closeSync(context);
  }
}

// Kernels are built with and without these; without, their effect is not there either.
function setIfKnown(context: number, key: string, value: string | undefined): void {
  try {
    fsconfigSet(context, key, value);
  } catch (error) {
    if (!isErrno(error, "EINVAL")) throw error;
  }
}

// Here the mount appears in the mount table for a moment, before its detached copy replaces it.
function byMount(mount: OverlayMount, names: ShortNames): number {
  const options = pageOfOptions(mount, names);
  const at = fs.mkdtempSync(path.join(os.tmpdir(), "tbuild-overlay-"));
  try {
    mountSync("overlay", at, "overlay", mount.upper === undefined ? MS_RDONLY : 0, options);
    try {
      return cloneMount(at);
    } finally {
      umount2(at, MNT_DETACH);
    }
  } finally {
    fs.rmdirSync(at);
  }
}

// Descriptors are shorter than any real path (17 bytes: 220 layers fit) and need no escaping of ":" and ",".
function pageOfOptions(mount: OverlayMount, names: ShortNames): string {
  const options = [`lowerdir=${mount.lower.map(names.alias).join(":")}`];
  if (mount.upper !== undefined) options.push(`upperdir=${names.alias(mount.upper)}`);
  if (mount.work !== undefined) options.push(`workdir=${names.alias(mount.work)}`);
  for (const [key, value] of flags(mount)) options.push(value === undefined ? key : `${key}=${value}`);
  const text = options.join(",");
  if (text.length > MAX_PAGE_BYTES) throw tooLong(mount);
  return text;
}

interface ShortNames {
  /** A name that fits into an fsconfig value. */
  of(directory: string): string;
  alias(directory: string): string;
  close(): void;
}

function shortNames(): ShortNames {
  const held: number[] = [];
  const alias = (directory: string): string => {
    const fd = fs.openSync(directory, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY);
    held.push(fd);
    return `/proc/self/fd/${fd}`;
  };
  const fits = (directory: string) => Buffer.byteLength(directory) <= MAX_VALUE_BYTES && !/[\\:,]/.test(directory);
  return {
    of: (directory) => (fits(directory) ? directory : alias(directory)),
    alias,
    close: () => held.forEach((fd) => fs.closeSync(fd)),
  };
}

// A volatile mount leaves this mark, and overlayfs refuses the upper directory while it is there. What it warns of, data
// not synced before a power cut, is nothing new for a snapshot that was not committed.
function forgetCrash(work: string): void {
  fs.rmSync(`${work}/work/incompat/volatile`, { recursive: true, force: true });
}

function inUserNamespace(): boolean {
  return !/^\s*0\s+0\s+4294967295\s*$/.test(fs.readFileSync("/proc/self/uid_map", "utf8"));
}

function tooLong(mount: OverlayMount): TbuildError {
  return new TbuildError("unsupported", `Cannot mount ${mount.lower.length} layers: more than this kernel's overlayfs takes`, {
    hint: "Use Linux 6.8 or newer, or the copy snapshotter",
  });
}

function overlayError(error: unknown): unknown {
  const hint = "Use the copy snapshotter where overlayfs is not to be had";
  const because = error instanceof Error ? error.message : String(error);
  if (isErrno(error, "EPERM", "EACCES")) {
    return new TbuildError("permission_denied", `Cannot mount overlay: ${because}`, { hint, cause: error });
  }
  if (isErrno(error, "EINVAL", "ENODEV", "ENOSYS", "EOPNOTSUPP", "ENOTSUP")) {
    return new TbuildError("unsupported", `Cannot mount overlay: ${because}`, { hint, cause: error });
  }
  return fromSystemError(error);
}

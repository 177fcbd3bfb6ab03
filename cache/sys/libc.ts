import os from "node:os";
import { getSystemErrorMap } from "node:util";
import { oneAtATime, requireNative } from "./native.js";

/** A path as the kernel sees it: text, or the raw bytes of a name that is not UTF-8. */
export type Path = string | Uint8Array;

/** What a failed system call throws; the same fields as the errors of `node:fs`. */
export interface SystemError extends Error {
  /** Symbolic name such as "ENOENT". */
  code: string;
  /** Negative, as in `node:fs`. */
  errno: number;
  syscall: string;
  path?: string;
}

/** A C function of the library; pointers are Buffers or null. */
export type NativeFunction = (...args: readonly unknown[]) => number;

interface Koffi {
  load(path: string | null): { func(declaration: string): NativeFunction };
  errno(): number;
}

let koffi: Koffi | undefined;
let library: ReturnType<Koffi["load"]> | undefined;

/**
 * Binds a function of the C library by its C declaration. Loading waits for the first call, because koffi costs
 * about 10 ms that a command which makes no direct system call should not pay. Use `void *` for paths and structs,
 * `ulong` for size_t. `syscall` may be declared many times with different arguments.
 */
export function libc(declaration: string): NativeFunction {
  let bound: NativeFunction | undefined;
  return (...args) => (bound ??= bind(declaration))(...args);
}

/** True when the C library has the function of this declaration. */
export function hasLibc(declaration: string): boolean {
  try {
    bind(declaration);
    return true;
  } catch {
    return false;
  }
}

function bind(declaration: string): NativeFunction {
  koffi ??= requireNative("koffi") as Koffi;
  const { load } = koffi;
  return oneAtATime(() => (library ??= load(null)).func(declaration));
}

/** `result`, unless it is -1: then throws the error that errno tells. Must be the first thing after the call. */
export function checked(result: number, syscall: string, path?: Path): number {
  if (result !== -1) return result;
  throw systemError(koffi?.errno() ?? 0, syscall, path);
}

/** The error for a positive error number. */
export function systemError(errno: number, syscall: string, path?: Path): SystemError {
  const [code, text] = getSystemErrorMap().get(-errno) ?? [errnoName(errno), "system call failed"];
  const where = path === undefined ? "" : ` '${Buffer.from(path).toString()}'`;
  const error = new Error(`${code}: ${text}, ${syscall}${where}`) as SystemError;
  error.errno = -errno;
  error.code = code;
  error.syscall = syscall;
  if (path !== undefined) error.path = Buffer.from(path).toString();
  return error;
}

// libuv's table lacks file-system errors such as ENODATA and ESTALE on some platforms.
function errnoName(errno: number): string {
  const known = Object.entries(os.constants.errno).find(([, value]) => value === errno);
  return known?.[0] ?? `E${errno}`;
}

/** True for a system error (ours or Node's) with this symbolic name. */
export function isErrno(error: unknown, ...codes: readonly string[]): boolean {
  return codes.includes((error as NodeJS.ErrnoException | null)?.code ?? "");
}

/** NUL-terminated bytes of a path or other text. A NUL inside is refused with EINVAL: the kernel would cut there. */
export function cString(text: Path): Buffer {
  const bytes = typeof text === "string" ? Buffer.from(`${text}\0`) : Buffer.concat([text, Buffer.of(0)]);
  if (bytes.indexOf(0) !== bytes.length - 1) throw systemError(os.constants.errno.EINVAL, "path", text);
  return bytes;
}

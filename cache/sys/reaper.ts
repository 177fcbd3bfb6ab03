import os from "node:os";
import { checked, isErrno, libc } from "./libc.js";

const WNOHANG = 1;
// SIGCHLD wakes us; the timer keeps the event loop alive meanwhile and serves worker threads, which see no signals.
const POLL_MS = 50;

const waitpid = libc("int waitpid(int pid, void *status, int options)");
const kill = libc("int kill(int pid, int signal)");

/** How a process ended: one of the two is not null. */
export interface ExitStatus {
  readonly exitCode: number | null;
  /** Name such as "SIGKILL". */
  readonly signal: string | null;
}

const waiting = new Map<number, (status: ExitStatus) => void>();
let timer: NodeJS.Timeout | undefined;

/**
 * Waits for a child that this thread started outside `node:child_process`. No thread blocks in waitpid (that would take
 * one of libuv's four), and children of others are not touched: each process is asked for by its own ID.
 */
export function waitForChild(pid: number): Promise<ExitStatus> {
  return new Promise((resolve) => {
    if (waiting.size === 0) {
      process.on("SIGCHLD", reap);
      timer = setInterval(reap, POLL_MS);
    }
    waiting.set(pid, resolve);
    setImmediate(reap); // it may have ended before the handler was there
  });
}

/** Sends a signal to a child of {@link waitForChild}. False when it has ended: its ID may be another's by now. */
export function sendSignal(pid: number, signal: NodeJS.Signals): boolean {
  if (!waiting.has(pid)) return false;
  checked(kill(pid, os.constants.signals[signal]), "kill");
  return true;
}

function reap(): void {
  for (const [pid, resolve] of waiting) {
    const status = exitStatus(pid);
    if (status === null) continue;
    waiting.delete(pid);
    resolve(status);
  }
  if (waiting.size > 0) return;
  process.off("SIGCHLD", reap);
  clearInterval(timer);
}

// Null while the process runs.
function exitStatus(pid: number): ExitStatus | null {
  const status = new Int32Array(1);
  try {
    if (checked(waitpid(pid, status, WNOHANG), "waitpid") === 0) return null;
  } catch (error) {
    if (isErrno(error, "EINTR")) return null;
    if (isErrno(error, "ECHILD")) return { exitCode: null, signal: "SIGKILL" }; // reaped by somebody else; the status is lost
    throw error;
  }
  return decodeStatus(status[0] ?? 0);
}

/** The meaning of a wait status. Source: wait(2), WIFEXITED and others */
export function decodeStatus(status: number): ExitStatus {
  const signal = status & 0x7f;
  if (signal === 0) return { exitCode: (status >> 8) & 0xff, signal: null };
  const name = Object.entries(os.constants.signals).find(([, value]) => value === signal)?.[0];
  return { exitCode: null, signal: name ?? `SIG${signal}` };
}

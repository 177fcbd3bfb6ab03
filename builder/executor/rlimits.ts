import { TbuildError } from "../../cache/errors.js";
import type { ProcessSpec } from "./executor.js";

/** Limits by their number on Linux (resource.h), with the row of /proc/self/limits. */
const LIMITS: readonly (readonly [name: string, row: string])[] = [
  ["cpu", "Max cpu time"],
  ["fsize", "Max file size"],
  ["data", "Max data size"],
  ["stack", "Max stack size"],
  ["core", "Max core file size"],
  ["rss", "Max resident set"],
  ["nproc", "Max processes"],
  ["nofile", "Max open files"],
  ["memlock", "Max locked memory"],
  ["as", "Max address space"],
  ["locks", "Max file locks"],
  ["sigpending", "Max pending signals"],
  ["msgqueue", "Max msgqueue size"],
  ["nice", "Max nice priority"],
  ["rtprio", "Max realtime priority"],
  ["rttime", "Max realtime timeout"],
];

/** A limit of the OCI runtime spec. "infinity" is the kernel's RLIM_INFINITY, which no JavaScript number can be. */
export interface SpecRlimit {
  readonly type: string;
  readonly soft: number | "infinity";
  readonly hard: number | "infinity";
}

/** Limits as the runtime spec has them; -1 is unlimited. */
export function specRlimits(ulimits: ProcessSpec["ulimits"]): readonly SpecRlimit[] {
  const value = (limit: number) => (limit < 0 ? "infinity" : limit);
  return ulimits.map(({ name, soft, hard }) => ({ type: `RLIMIT_${name.toUpperCase()}`, soft: value(soft), hard: value(hard) }));
}

/** A runtime spec as JSON. Keys cannot be mistaken: a quote inside a JSON string is escaped. */
export function specJson(spec: unknown): string {
  return JSON.stringify(spec).replaceAll(/"(soft|hard)":"infinity"/g, '"$1":18446744073709551615');
}

/**
 * Why the runtime could not set one of `ulimits`; null when its message is about something else. `limits` is the text of
 * /proc/self/limits.
 */
export function rlimitError(message: string, ulimits: ProcessSpec["ulimits"], limits: string): TbuildError | null {
  const number = /setting rlimit type (\d+): operation not permitted/.exec(message)?.[1];
  const [name, row] = LIMITS[Number(number)] ?? [];
  const ulimit = ulimits.find((one) => one.name === name);
  if (name === undefined || row === undefined || ulimit === undefined) return null;
  const most = new RegExp(`^${row}\\s+\\S+\\s+(\\S+)`, "m").exec(limits)?.[1] ?? "less";
  const hard = ulimit.hard < 0 ? "unlimited" : String(ulimit.hard);
  return new TbuildError("permission_denied", `Cannot set the ulimit "${name}" to ${hard}: tbuild itself may use ${most}`, {
    hint: `Ask for at most --ulimit ${name}=${most}, or run tbuild with CAP_SYS_RESOURCE and a higher hard limit`,
  });
}

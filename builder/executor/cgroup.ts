import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { TbuildError } from "../../cache/errors.js";
import type { LinuxResources } from "../../solver/llb/op.js";
import { runtimeState } from "./runtimeCommand.js";

/** Name of the cgroup below which containers have theirs when nothing else is said. */
const DEFAULT_PARENT = "tbuild";

/** Cgroup of a container below `parent`, from the root of the hierarchy. @throws {TbuildError} unsupported for a systemd slice */
export function cgroupsPath(parent: string, id: string): string {
  if (parent.includes(".slice") && parent.endsWith(":")) {
    throw new TbuildError("unsupported", `Cannot make a cgroup in "${parent}": systemd scopes are not supported`, {
      hint: "Name a cgroup by its path, such as --cgroup-parent /builds",
    });
  }
  return path.posix.join("/", parent === "" ? DEFAULT_PARENT : parent, id);
}

/** The `resources` of a runtime spec, which the runtime translates to the cgroup version of this machine. */
export function specResources(limits: LinuxResources): Readonly<Record<string, unknown>> {
  const memory = setOnly({ limit: limits.memory, swap: limits.memorySwap });
  const cpu = setOnly({
    shares: limits.cpuShares,
    quota: limits.cpuQuota,
    period: limits.cpuPeriod,
    cpus: limits.cpusetCpus,
    mems: limits.cpusetMems,
  });
  return { ...(memory === null ? {} : { memory }), ...(cpu === null ? {} : { cpu }) };
}

function setOnly(values: Readonly<Record<string, number | string>>): Readonly<Record<string, number | string>> | null {
  const set = Object.entries(values).filter(([, value]) => value !== 0 && value !== "");
  return set.length === 0 ? null : Object.fromEntries(set);
}

/**
 * How many processes of a container the kernel ended for want of memory, told by the container's own cgroup; null when
 * the runtime does not say where that is. Only as long as the runtime keeps the container.
 */
export function containerOomKills(scratch: string, id: string): number | null {
  const state = readText(path.join(runtimeState(scratch), id, "state.json"));
  if (state === null) return null;
  const paths = (JSON.parse(state) as { cgroup_paths?: Readonly<Record<string, string>> }).cgroup_paths ?? {};
  // "" is the unified hierarchy, on which a hybrid host has no memory controller.
  const events = [`${paths["memory"] ?? ""}/memory.oom_control`, `${paths[""] ?? ""}/memory.events`].find((file) => existsSync(file));
  return events === undefined ? null : oomKillsIn(readText(events) ?? "");
}

/** The count in the text of memory.oom_control (version 1) or memory.events (version 2), or /proc/vmstat. */
export function oomKillsIn(text: string): number {
  return Number(/^oom_kill (\d+)$/m.exec(text)?.[1] ?? 0);
}

function readText(file: string): string | null {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return null;
  }
}

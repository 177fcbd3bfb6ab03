import { containerOomKills } from "./cgroup.js";
import type { ProcessSpec } from "./executor.js";
import { oomKills } from "./host.js";

/** Tells whether the kernel ended a process of the container for want of memory. */
export interface OomCounter {
  /** The container must be kept until {@link OomCounter.killed} has been asked. */
  readonly keeps: boolean;
  /** Asked when the command has failed; `signal` is what ended it, or null. */
  killed(signal: string | null): boolean;
}

/**
 * A container with a limit has a cgroup that counts, and outlives its process for that. Without one only the machine's
 * counter is there, which is believed when the command itself was killed.
 */
export function oomCounter(scratch: string, { id, resources }: ProcessSpec): OomCounter {
  const before = oomKills();
  const ofMachine = (signal: string | null) => signal === "SIGKILL" && oomKills() > before;
  if (resources === null || resources.memory === 0) return { keeps: false, killed: ofMachine };
  return {
    keeps: true,
    killed(signal) {
      const own = containerOomKills(scratch, id);
      return own === null ? ofMachine(signal) : own > 0;
    },
  };
}

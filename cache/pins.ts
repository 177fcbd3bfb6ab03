import { closeSync, ftruncateSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from "node:fs";
import path from "node:path";
import { setImmediate, setTimeout } from "node:timers/promises";
import { storeLayout } from "./layout.js";
import { type Lock, tryLock } from "./sys/lock.js";

const SUFFIX = ".pins";
const RETRY_MS = 1;

/** What takes space: a snapshot by name, a blob by digest, a cache mount or a copy of a client's directory by its name. The last two need no pin. */
export type PinName = `snapshot:${string}` | `blob:${string}` | `cachemount:${string}` | `localcopy:${string}`;

/**
 * What this process uses, so that no other process's prune takes it away. Pins live in a plain file beside the lease:
 * they mean nothing after a crash, and so need neither fsync nor a transaction of the metadata database.
 */
export interface Pins extends AsyncDisposable {
  /**
   * Keeps these until this process closes its store. They need not exist: pin first, then look, and what is there
   * then stays there.
   */
  pin(names: readonly PinName[]): Promise<void>;
  /** Lets go of all that was pinned. At once: what is pinned from now on stays. */
  clear(): void;
  /** Lets go of what was last pinned before this moment, in milliseconds since the epoch; pinning anew what is pinned counts. */
  clearBefore(moment: number): Promise<void>;
}

/** Pins of the lease `id` on the store at `root`. */
export function openPins(root: string, id: string): Pins {
  const file = path.join(storeLayout(root).leases, id + SUFFIX);
  // With the time at which each was pinned last.
  const pinned = new Map<PinName, number>();
  let fd: number | undefined;
  let gathered: { readonly names: Set<PinName>; readonly written: Promise<void> } | null = null;

  const append = (names: readonly PinName[]) => {
    fd ??= openSync(file, "a", 0o600);
    writeSync(fd, names.map((name) => `${JSON.stringify(name)}\n`).join(""));
  };
  const note = (names: readonly PinName[]) => {
    for (const name of names) pinned.set(name, Date.now());
  };

  // What is pinned in one turn of the event loop takes the lock once.
  const gather = (): NonNullable<typeof gathered> => {
    const names = new Set<PinName>();
    const write = async () => {
      await setImmediate();
      using _lock = await lockPins(root).finally(() => (gathered = null));
      append([...names]);
      note([...names]);
    };
    return { names, written: write() };
  };

  return {
    async pin(names) {
      const fresh = names.filter((name) => !pinned.has(name));
      note(names.filter((name) => pinned.has(name)));
      if (fresh.length === 0) return;
      gathered ??= gather();
      for (const name of fresh) gathered.names.add(name);
      await gathered.written;
    },
    clear() {
      if (fd !== undefined) ftruncateSync(fd);
      pinned.clear();
    },
    async clearBefore(moment) {
      const isOld = ([, at]: readonly [PinName, number]) => at < moment;
      if (fd === undefined || ![...pinned].some(isOld)) return;
      // Others read the file under this lock only, so that they never see it half written.
      using _lock = await lockPins(root);
      for (const [name] of [...pinned].filter(isOld)) pinned.delete(name);
      ftruncateSync(fd);
      append([...pinned.keys()]);
    },
    [Symbol.asyncDispose]: async () => {
      await gathered?.written;
      if (fd !== undefined) closeSync(fd);
      fd = undefined;
      removePins(root, id);
    },
  };
}

/**
 * Runs `body` with the pins of all processes, but for that with the lease `except`; none of them can pin anything more until it has
 * finished.
 */
export async function withPins<T>(root: string, body: (pinned: ReadonlySet<string>) => Promise<T>, except?: string): Promise<T> {
  using _lock = await lockPins(root);
  return await body(readPins(storeLayout(root).leases, except));
}

/** Forgets the pins of a lease. */
export function removePins(root: string, id: string): void {
  rmSync(path.join(storeLayout(root).leases, id + SUFFIX), { force: true });
}

async function lockPins(root: string): Promise<Lock> {
  for (;;) {
    const lock = tryLock(path.join(storeLayout(root).leases, "pins"));
    if (lock !== null) return lock;
    await setTimeout(RETRY_MS);
  }
}

function readPins(leases: string, except: string | undefined): Set<string> {
  const files = readdirSync(leases).filter((name) => name.endsWith(SUFFIX) && name !== `${except}${SUFFIX}`);
  return new Set(files.flatMap((name) => completeLines(path.join(leases, name)).map((line) => JSON.parse(line) as string)));
}

// A process that was killed while it wrote can leave half a line at the end.
function completeLines(file: string): readonly string[] {
  return readFileSync(file, "utf8").split("\n").slice(0, -1);
}

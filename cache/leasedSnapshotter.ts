import type { Pins } from "./pins.js";
import type { Snapshotter } from "./snapshot/snapshotter.js";

/** A snapshotter as one lease uses it. Disposing removes the active snapshots that were neither committed nor removed. */
export interface LeasedSnapshotter extends Snapshotter, AsyncDisposable {}

/**
 * `inner`, pinning every committed snapshot that passes through its hands. A parent is safe through its child. `admit` is asked
 * before an active one is committed, and throws when there is no room for it.
 */
export function leasedSnapshotter(inner: Snapshotter, pins: Pins, admit: (key: string) => Promise<void> = async () => {}): LeasedSnapshotter {
  const active = new Set<string>();
  const pin = (name: string) => pins.pin([`snapshot:${name}`]);

  const remove = async (name: string) => {
    await inner.remove(name);
    active.delete(name);
  };

  return {
    ...inner,
    remove,
    async prepare(key, parent) {
      const mount = await inner.prepare(key, parent);
      active.add(key);
      return mount;
    },
    async declare(name, parent) {
      await pin(name);
      await inner.declare(name, parent);
    },
    async commit(name, key, options) {
      await pin(name);
      await admit(key);
      await inner.commit(name, key, options);
      active.delete(key);
    },
    async view(name) {
      await pin(name);
      return await inner.view(name);
    },
    async changes(name) {
      await pin(name);
      return await inner.changes(name);
    },
    async [Symbol.asyncDispose]() {
      for (const key of active) await remove(key);
    },
  };
}

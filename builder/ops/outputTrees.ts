import { TbuildError } from "../../cache/errors.js";
import type { Ref } from "../../cache/ref.js";
import type { Mount } from "../../cache/snapshot/snapshotter.js";
import type { Store } from "../../cache/store.js";
import type { ExecMount } from "../../solver/llb/op.js";
import type { SnapshotRef } from "./opDeps.js";
import { newName } from "./snapshotStep.js";

/** The trees that a step leaves, by the index of its output. Disposing removes those that were not committed. */
export interface OutputTrees extends AsyncDisposable {
  /** A writable tree for this mount that starts as `parent`; without output it is thrown away. */
  prepare(mount: ExecMount, parent: SnapshotRef): Promise<Mount>;
  /** The output is what was there before. */
  pass(output: number, ref: Ref): void;
  /** All outputs, which nothing may have mounted any more. @throws {TbuildError} invalid_argument when one was not prepared */
  commit(): Promise<readonly Ref[]>;
  /** What is in the trees now, with or without output, which nothing may have mounted any more: for the one who looks into a failed step. */
  salvage(): Promise<ReadonlyMap<ExecMount, Ref>>;
}

/** See {@link OutputTrees}. */
export function outputTrees(store: Store): OutputTrees {
  const active = new Map<string, ExecMount>();
  const outputs = new Map<number, { readonly key: string } | { readonly ref: Ref }>();
  return {
    async prepare(mount, parent) {
      const key = newName();
      const tree = await store.snapshots.prepare(key, parent.name);
      active.set(key, mount);
      if (mount.output >= 0) outputs.set(mount.output, { key });
      return tree;
    },
    pass: (output, ref) => void outputs.set(output, { ref }),
    async commit() {
      const refs: Ref[] = [];
      for (let index = 0; index < outputs.size; index++) {
        const made = outputs.get(index);
        if (made === undefined) throw new TbuildError("invalid_argument", `Cannot run a step whose output ${index} is of no mount`);
        refs.push("ref" in made ? made.ref : await commitOne(made.key));
      }
      return refs;
    },
    async salvage() {
      const refs = new Map<ExecMount, Ref>();
      for (const [key, mount] of active) {
        // The error of the step tells more than why it cannot be looked into.
        const ref = await commitOne(key).catch(() => null);
        if (ref !== null) refs.set(mount, ref);
      }
      return refs;
    },
    async [Symbol.asyncDispose]() {
      // What cannot be removed now is removed when the store is closed; an error of the step tells more.
      for (const key of active.keys()) await store.snapshots.remove(key).catch(() => {});
    },
  };

  async function commitOne(key: string): Promise<Ref> {
    const name = newName();
    await store.snapshots.commit(name, key);
    active.delete(key);
    return { kind: "snapshot", name };
  }
}

import type { Ref } from "../../cache/ref.js";
import type { Store } from "../../cache/store.js";

/** What a step had, and had made, when it failed: for whoever wants to look into it. */
export interface FailedStep {
  /** What it began with: by mount for a process, by input for file actions; null for none. */
  readonly inputs: readonly (Ref | null)[];
  /** What has become of it, by mount or by file action. */
  readonly mounts: readonly (Ref | null)[];
  /** The file action that failed, or the input whose content could not be told. */
  readonly subject: { readonly kind: "file" | "cache"; readonly index: number } | null;
}

const steps = new WeakMap<object, FailedStep>();

/** Says of an error which step has failed with it. */
export function noteFailedStep(error: unknown, step: FailedStep): void {
  if (typeof error === "object" && error !== null) steps.set(error, step);
}

/** What {@link noteFailedStep} has said of this very error. */
export function failedStepOf(error: unknown): FailedStep | undefined {
  return typeof error === "object" && error !== null ? steps.get(error) : undefined;
}

/** Half-made trees of the failed steps of one build, which nothing else names. Disposing removes them. */
export interface FailedTrees extends AsyncDisposable {
  /** Takes over a snapshot that nobody else knows. */
  keep(tree: Ref): Promise<void>;
}

/** No step has failed yet. */
export function failedTrees({ snapshots }: Pick<Store, "snapshots">): FailedTrees {
  const names: string[] = [];
  let isOver = false;
  // What cannot be removed now is removed when disk space is needed.
  const remove = async (name: string) => await snapshots.remove(name).catch(() => {});
  return {
    async keep(tree) {
      if (tree.kind !== "snapshot" || tree.name === null) return;
      // A step that another build waits for too may fail after this one is over.
      if (isOver) await remove(tree.name);
      else names.push(tree.name);
    },
    async [Symbol.asyncDispose]() {
      isOver = true;
      for (const name of names.toReversed()) await remove(name);
    },
  };
}

/** Work that is done once per argument, and can be waited for as a whole. */
export interface Memos {
  /** `make`, called once for all arguments with the same id; a failure is remembered too. */
  memo<A, V>(idOf: (argument: A) => unknown, make: (argument: A) => Promise<V>): (argument: A) => Promise<V>;
  /** Resolves when nothing that was begun, or begins while we wait, is under way. */
  settled(): Promise<void>;
}

/** Nothing done yet. */
export function createMemos(): Memos {
  const begun: Promise<unknown>[] = [];
  return {
    memo(idOf, make) {
      const known = new Map<unknown, ReturnType<typeof make>>();
      return (argument) => {
        const id = idOf(argument);
        const before = known.get(id);
        if (before !== undefined) return before;
        const promise = make(argument);
        // Whoever needs it sees the failure; nobody may have come yet.
        promise.catch(() => {});
        known.set(id, promise);
        begun.push(promise);
        return promise;
      };
    },
    async settled() {
      for (let seen = -1; seen !== begun.length; ) {
        seen = begun.length;
        await Promise.allSettled(begun);
      }
    },
  };
}

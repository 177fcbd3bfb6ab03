import type { GitRef } from "./gitRefs.js";
import type { ResolvedSource, Source } from "./source.js";

/** What is remembered of sources. */
export interface ResolvedOnce {
  /** A source whose answers are remembered. */
  readonly around: (source: Source) => Source;
  /** What refs of repositories are, by URL and name: they are the same for every directory and way of checking out. */
  readonly gitRefs: Map<string, Promise<GitRef>>;
}

/**
 * Remembers what sources are, for one build: what is asked for twice is the same both times, whatever others do to it
 * meanwhile. A question that failed is asked again.
 */
export function resolvedOnce(): ResolvedOnce {
  const known = new Map<string, Promise<ResolvedSource>>();
  const around = (source: Source): Source => ({
    ...source,
    async resolve(request, opts) {
      const { identifier, attrs, platform } = request;
      const key = JSON.stringify([identifier, Object.entries(attrs).sort(([a], [b]) => (a < b ? -1 : 1)), platform]);
      const answer = known.get(key) ?? source.resolve(request, opts);
      known.set(key, answer);
      answer.catch(() => void (known.get(key) === answer && known.delete(key)));
      return await answer;
    },
  });
  return { around, gitRefs: new Map() };
}

import type { ResolvedSource, Source } from "./source.js";

/** A source whose answers are remembered. */
export type ResolvedOnce = (source: Source) => Source;

/**
 * Remembers what sources are, for one build: what is asked for twice is the same both times, whatever others do to it
 * meanwhile. A question that failed is asked again.
 */
export function resolvedOnce(): ResolvedOnce {
  const known = new Map<string, Promise<ResolvedSource>>();
  return (source) => ({
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
}

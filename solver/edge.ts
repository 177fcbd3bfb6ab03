import type { CacheKey } from "./cacheKey.js";

/** Keys under which a step's results are stored; all null for a step without identity, which is never stored. */
export interface StepKeys {
  /** From the op and its inputs' keys; null when an input has no key. */
  readonly definition: CacheKey | null;
  /** From the op and what it reads of its inputs; null when no input is keyed by content. */
  readonly content: CacheKey | null;
}

/** Where a vertex stands. `hashing-inputs` needs the results of inputs; `missed` waits until somebody wants the result. */
export type EdgeState<R> =
  | { readonly phase: "waiting-for-key" }
  | { readonly phase: "querying"; readonly definition: CacheKey }
  | { readonly phase: "hashing-inputs"; readonly definition: CacheKey | null }
  | { readonly phase: "querying-content"; readonly definition: CacheKey | null; readonly content: CacheKey }
  | { readonly phase: "missed"; readonly keys: StepKeys }
  | { readonly phase: "running"; readonly keys: StepKeys }
  | { readonly phase: "complete"; readonly outputs: readonly R[]; readonly cached: boolean }
  | { readonly phase: "failed"; readonly error: unknown };

/** What can happen to a vertex. */
export type Fact<R> =
  /** The op has no identity. */
  | { readonly type: "unkeyable" }
  /** Null: an input has no key, so that only content can tell. */
  | { readonly type: "definition-key"; readonly key: CacheKey | null }
  | { readonly type: "content-key"; readonly key: CacheKey }
  /** `next`: whether a content key remains to be tried. */
  | { readonly type: "miss"; readonly next: "content" | "run" }
  | { readonly type: "hit"; readonly outputs: readonly R[] }
  | { readonly type: "started" }
  | { readonly type: "done"; readonly outputs: readonly R[] }
  | { readonly type: "failed"; readonly error: unknown };

/** The state after a fact. @throws {Error} when the fact cannot happen in this phase */
export function advance<R>(state: EdgeState<R>, fact: Fact<R>): EdgeState<R> {
  const next = fact.type === "failed" ? fail(state, fact.error) : step(state, fact);
  if (next === null) throw new Error(`Vertex in phase "${state.phase}" cannot accept fact "${fact.type}"`);
  return next;
}

function fail<R>(state: EdgeState<R>, error: unknown): EdgeState<R> | null {
  return state.phase === "complete" || state.phase === "failed" ? null : { phase: "failed", error };
}

function step<R>(state: EdgeState<R>, fact: Fact<R>): EdgeState<R> | null {
  switch (state.phase) {
    case "waiting-for-key":
      return identified(fact);
    case "querying":
      if (fact.type === "miss") return afterDefinitionMiss(state.definition, fact.next);
      return hit(fact);
    case "hashing-inputs":
      if (fact.type !== "content-key") return null;
      return { phase: "querying-content", definition: state.definition, content: fact.key };
    case "querying-content":
      if (fact.type === "miss" && fact.next === "run") return missed(state.definition, state.content);
      return hit(fact);
    case "missed":
      return fact.type === "started" ? { phase: "running", keys: state.keys } : null;
    case "running":
      if (fact.type === "done") return { phase: "complete", outputs: fact.outputs, cached: false };
      // While we waited for our turn somebody else stored the result.
      return hit(fact);
    case "complete":
    case "failed":
      return null;
  }
}

function identified<R>(fact: Fact<R>): EdgeState<R> | null {
  if (fact.type === "unkeyable") return missed(null, null);
  if (fact.type !== "definition-key") return null;
  return fact.key === null ? { phase: "hashing-inputs", definition: null } : { phase: "querying", definition: fact.key };
}

function afterDefinitionMiss<R>(definition: CacheKey, next: "content" | "run"): EdgeState<R> {
  return next === "content" ? { phase: "hashing-inputs", definition } : missed(definition, null);
}

function hit<R>(fact: Fact<R>): EdgeState<R> | null {
  return fact.type === "hit" ? { phase: "complete", outputs: fact.outputs, cached: true } : null;
}

function missed<R>(definition: CacheKey | null, content: CacheKey | null): EdgeState<R> {
  return { phase: "missed", keys: { definition, content } };
}

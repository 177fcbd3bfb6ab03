import type { CacheIndex } from "../cache/index.js";
import type { CacheKey } from "./cacheKey.js";
import type { StepKeys } from "./edge.js";
import {
  type Contents,
  type Identity,
  type Keyed,
  allowedQueries,
  contentKey,
  definitionKey,
  hasContentKey,
  keyParts,
} from "./identity.js";
import type { SharedResults } from "./sharedResults.js";
import type { Storing } from "./step.js";
import type { Tracker } from "./tracker.js";

/** What {@link lookUp} works with. */
export interface LookUpDeps<R> {
  readonly index: CacheIndex<R>;
  readonly shared: SharedResults<R> | undefined;
  readonly tracker: Tracker<R>;
  /** Contents of the inputs that are known by content; these may have to run for it. */
  contentsOf(keyed: Keyed<R>): Promise<Contents>;
}

/** A vertex's identity and, when no result of it was found, where its result is to be stored (null: nowhere). */
export interface LookedUp extends Identity {
  readonly storing: Storing | null;
  /** The keys that were worked out. */
  readonly keys: readonly CacheKey[];
}

/**
 * Looks for a stored result; a found one is then in the vertex's state. Cheap keys first: the content key, for which
 * inputs may have to run, is made only when the definition key missed. A result found by content is stored under the
 * definition key too.
 */
export async function lookUp<R>(keyed: Keyed<R>, deps: LookUpDeps<R>): Promise<LookedUp> {
  const { vertex } = keyed;
  const { tracker } = deps;
  const queries = allowedQueries(keyed);
  const definition = definitionKey(keyed);
  tracker.move(vertex, { type: "definition-key", key: definition });
  let alias: CacheKey | null = null;
  if (definition !== null) {
    const found = queries === "all" ? await query(keyed, [definition], [], deps) : null;
    if (found !== null && "hit" in found) return found.hit;
    alias = found?.alias ?? null;
    tracker.move(vertex, { type: "miss", next: hasContentKey(keyed) ? "content" : "run" });
  }
  if (!hasContentKey(keyed)) return missed(keyed, { definition, content: null }, []);
  if (definition !== null && alias !== null) return trusting(keyed, definition, alias, tracker);
  const contents = await deps.contentsOf(keyed);
  const content = contentKey(keyed, contents);
  tracker.move(vertex, { type: "content-key", key: content });
  const keys: Keys = definition === null ? [content] : [content, definition];
  const found = queries === "none" ? null : await query(keyed, keys, contents, deps);
  if (found !== null && "hit" in found) return found.hit;
  tracker.move(vertex, { type: "miss", next: "run" });
  return missed(keyed, { definition, content }, contents);
}

/** What is known of a key: a result, or only what users of the step build on. */
type Found = { readonly hit: LookedUp } | { readonly alias: CacheKey };

/** The first is looked up. */
type Keys = readonly [CacheKey, ...CacheKey[]];

/** Looks up the first of `keys`; a result that it finds is stored under all of them that do not lead to it yet. */
async function query<R>(keyed: Keyed<R>, keys: Keys, contents: Contents, deps: LookUpDeps<R>): Promise<Found | null> {
  const { vertex } = keyed;
  const { index, shared, tracker } = deps;
  const [key, ...others] = keys;
  const found = await tracker.own(vertex, async () => {
    const stored = await index.query(key);
    const from = stored === null ? await shared?.query(key) : null;
    const missing = stored === null ? keys : others;
    const { canonical, outputs } = stored ?? from ?? { canonical: key, outputs: null };
    if (outputs !== null && missing.length > 0) await index.save(missing, canonical, outputs, keyParts(keyed, contents));
    return stored === null && from == null ? null : { canonical: canonical as CacheKey, outputs };
  });
  if (found === null) return null;
  const { canonical, outputs } = found;
  if (outputs === null) return { alias: canonical };
  tracker.move(vertex, { type: "hit", outputs });
  return { hit: { key: canonical, fresh: false, storing: null, keys } };
}

/**
 * The step must run if somebody needs its result, but what its users build on is known without looking at what it reads.
 * The result is stored under what we have worked out ourselves alone: the other key is hearsay.
 */
function trusting<R>(keyed: Keyed<R>, definition: CacheKey, canonical: CacheKey, tracker: Tracker<R>): LookedUp {
  tracker.move(keyed.vertex, { type: "content-key", key: canonical });
  tracker.move(keyed.vertex, { type: "miss", next: "run" });
  const storing: Storing = { canonical, keys: [definition], parts: keyParts(keyed, []), reuse: "allowed" };
  return { key: canonical, fresh: false, storing, keys: [definition] };
}

function missed<R>(keyed: Keyed<R>, { definition, content }: StepKeys, contents: Contents): LookedUp {
  const canonical = content ?? definition;
  if (canonical === null) throw new Error(`Vertex "${keyed.vertex.name}" has neither key`);
  const fresh = allowedQueries(keyed) === "none";
  const keys = [definition, content].filter((key) => key !== null);
  const storing: Storing = { canonical, keys, parts: keyParts(keyed, contents), reuse: fresh ? "never" : "allowed" };
  return { key: canonical, fresh, storing, keys };
}

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
import type { Storing } from "./step.js";
import type { Tracker } from "./tracker.js";

/** What {@link lookUp} works with. */
export interface LookUpDeps<R> {
  readonly index: CacheIndex<R>;
  readonly tracker: Tracker<R>;
  /** Contents of the inputs that are known by content; these may have to run for it. */
  contentsOf(keyed: Keyed<R>): Promise<Contents>;
}

/** A vertex's identity and, when no result of it was found, where its result is to be stored (null: nowhere). */
export interface LookedUp extends Identity {
  readonly storing: Storing | null;
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
  if (definition !== null) {
    const hit = queries === "all" ? await query(keyed, definition, null, deps) : null;
    if (hit !== null) return hit;
    tracker.move(vertex, { type: "miss", next: hasContentKey(keyed) ? "content" : "run" });
  }
  if (!hasContentKey(keyed)) return missed(keyed, { definition, content: null }, []);
  const contents = await deps.contentsOf(keyed);
  const content = contentKey(keyed, contents);
  tracker.move(vertex, { type: "content-key", key: content });
  const alias = definition === null ? null : { key: definition, contents };
  const hit = queries === "none" ? null : await query(keyed, content, alias, deps);
  if (hit !== null) return hit;
  tracker.move(vertex, { type: "miss", next: "run" });
  return missed(keyed, { definition, content }, contents);
}

/** Another key to store a found result under. */
interface Alias {
  readonly key: CacheKey;
  readonly contents: Contents;
}

async function query<R>(keyed: Keyed<R>, key: CacheKey, alias: Alias | null, deps: LookUpDeps<R>): Promise<LookedUp | null> {
  const { vertex } = keyed;
  const { index, tracker } = deps;
  const hit = await tracker.own(vertex, async () => {
    const found = await index.query(key);
    if (found === null || alias === null) return found;
    await index.save([alias.key], found.canonical, found.outputs, keyParts(keyed, alias.contents));
    return found;
  });
  if (hit === null) return null;
  tracker.move(vertex, { type: "hit", outputs: hit.outputs });
  return { key: hit.canonical, fresh: false, storing: null };
}

function missed<R>(keyed: Keyed<R>, { definition, content }: StepKeys, contents: Contents): LookedUp {
  const canonical = content ?? definition;
  if (canonical === null) throw new Error(`Vertex "${keyed.vertex.name}" has neither key`);
  const fresh = allowedQueries(keyed) === "none";
  const keys = [definition, content].filter((key) => key !== null);
  const storing: Storing = { canonical, keys, parts: keyParts(keyed, contents), reuse: fresh ? "never" : "allowed" };
  return { key: canonical, fresh, storing };
}

import type { KeyParts } from "../cache/meta/records.js";
import type { Digest } from "../cache/oci/digest.js";
import { type CacheKey, cacheKey } from "./cacheKey.js";
import type { Vertex } from "./graph.js";
import type { CacheMap, ContentKey } from "./opRunner.js";

/** What a vertex's users build their keys on. */
export interface Identity {
  /** Canonical key; null when the step has no identity and must be known by content. */
  readonly key: CacheKey | null;
  /**
   * True when the step runs anew although its key may have stored results (no-cache): a user that is not keyed by content
   * must run anew as well, for what is stored under its key was made from an older result.
   */
  readonly fresh: boolean;
}

/** A vertex with an identity, and everything known about its inputs. */
export interface Keyed<R> {
  readonly vertex: Vertex;
  readonly digest: Digest;
  readonly map: CacheMap<R>;
  /** Identity of the vertex of each input. */
  readonly inputs: readonly Identity[];
}

/** True when input `i` enters the content key by its content. */
export function byContent<R>({ map, inputs }: Keyed<R>, i: number): boolean {
  return map.inputs[i]?.byContent === true || inputs[i]?.key === null;
}

/** True when a content key says more than the definition key. */
export function hasContentKey<R>(keyed: Keyed<R>): boolean {
  return keyed.inputs.some((_, i) => byContent(keyed, i));
}

/** Which stored results the vertex may use. "content" when an input ran anew, but is known by its content. */
export function allowedQueries<R>(keyed: Keyed<R>): "all" | "content" | "none" {
  if (keyed.vertex.metadata.ignoreCache) return "none";
  if (keyed.inputs.some(({ fresh }, i) => fresh && !byContent(keyed, i))) return "none";
  return keyed.inputs.some(({ fresh }) => fresh) ? "content" : "all";
}

/** Key from what the op and its inputs are; null when an input has no key. */
export function definitionKey<R>(keyed: Keyed<R>): CacheKey | null {
  if (keyed.inputs.some(({ key }) => key === null)) return null;
  return cacheKey(keyed.digest, keyInputs(keyed, []));
}

/** Key from what the op is and what it reads. `contents[i]` is given where {@link byContent}. */
export function contentKey<R>(keyed: Keyed<R>, contents: Contents): CacheKey {
  return cacheKey(keyed.digest, keyInputs(keyed, contents));
}

/** Content of each input that is known by content, null for the others. */
export type Contents = readonly (ContentKey | null)[];

/** The un-hashed form of a key of `vertex`. */
export function keyParts<R>(keyed: Keyed<R>, contents: Contents): KeyParts {
  const { vertex, digest, map } = keyed;
  return { name: vertex.name, op: digest, attributes: map.attributes, inputs: keyInputs(keyed, contents) };
}

function keyInputs<R>({ vertex, map, inputs }: Keyed<R>, contents: Contents): KeyParts["inputs"] {
  return vertex.inputs.map(({ index }, i) => {
    const selector = map.inputs[i]?.selector ?? null;
    const content = contents[i];
    if (content == null) return { key: inputs[i]?.key ?? "", output: index, selector };
    const files = content.files === undefined ? {} : { files: content.files };
    return { key: content.digest, output: 0, selector, ...files };
  });
}

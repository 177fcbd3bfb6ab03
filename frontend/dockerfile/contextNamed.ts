import { isTbuildError } from "../../cache/errors.js";
import { type Platform, formatPlatform, parsePlatform } from "../../cache/oci/platform.js";
import { familiarReference, parseReference } from "../../cache/oci/reference.js";
import type { NamedContext } from "../options.js";

/** A named context where a stage or an image was named. */
export interface ContextUse {
  /** For step names: the context's name, with `::platform` when it was given for that one. */
  readonly key: string;
  readonly context: NamedContext;
  /** For which an image is resolved. */
  readonly platform: Platform;
}

/** The context that `name`, of a stage or an image, stands for on `platform`; null when there is none. */
export type ContextFinder = (name: string, platform: Platform) => ContextUse | null;

/** Names with a meaning of their own, which no context overrides. */
const RESERVED = ["scratch", "context"];

/**
 * Looks contexts up by names as people write them: "alpine", "alpine:latest" and "docker.io/library/alpine" are one. A
 * context for the platform comes before one for all. Source: BuildKit's dockerui.Client.NamedContext.
 */
export function contextFinder(contexts: ReadonlyMap<string, NamedContext>): ContextFinder {
  const known = new Map([...contexts].map(([key, context]) => [normalKey(key), context]));
  return (name, platform) => {
    if (RESERVED.includes(name.toLowerCase())) return null;
    const plain = shortName(name);
    for (const key of [`${plain}::${formatPlatform(platform)}`, plain]) {
      const context = known.get(key);
      if (context !== undefined) return { key, context, platform };
    }
    return null;
  };
}

function normalKey(key: string): string {
  const at = key.lastIndexOf("::");
  if (at < 0) return shortName(key);
  const platform = key.slice(at + 2);
  return `${shortName(key.slice(0, at))}::${quietly(() => formatPlatform(parsePlatform(platform))) ?? platform}`;
}

function shortName(name: string): string {
  return quietly(() => familiarReference(parseReference(name)).replace(/:latest$/, "")) ?? name;
}

/** Null when the text is no name: then it is compared as it is. */
function quietly<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (isTbuildError(error)) return null;
    throw error;
  }
}

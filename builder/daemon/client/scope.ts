import type { Definition } from "../../../solver/llb/definition.js";
import type { ImageMaterial } from "../../attest/capture.js";
import type { FrontendOpt } from "../frontend/frontendOpt.js";

/** A frontend's request, as far as provenance tells of it. */
export interface Asked {
  readonly frontend: string;
  readonly frontendOpt: FrontendOpt;
  readonly frontendInputs: Readonly<Record<string, Definition>>;
}

/**
 * One frontend's part of a build: what was asked of it, and what it has made and read. A client that runs its frontend itself is
 * the root, of which nothing was asked. Source: BuildKit, solver/llbsolver/provenance.go.
 */
export interface BuildScope {
  readonly asked: Asked | null;
  /** The requests of frontends that this one has run. */
  readonly inner: BuildScope[];
  /** Ids of references that it has made. */
  readonly refs: Set<string>;
  /** Graphs that it has read results of. */
  readonly read: Definition[];
  readonly images: ImageMaterial[];
  /** Directories of the client that it was given. */
  readonly locals: Set<string>;
}

/** The part of a frontend that was asked for by the frontend of `outer`. */
export function newScope(asked: Asked | null, outer: BuildScope | null): BuildScope {
  const scope: BuildScope = { asked, inner: [], refs: new Set(), read: [], images: [], locals: new Set() };
  outer?.inner.push(scope);
  return scope;
}

/** Whose a reference is, the innermost first; the root's when nobody has made it. */
export function scopeOf(root: BuildScope, ref: string): BuildScope {
  return findScope(root, ref) ?? root;
}

function findScope(scope: BuildScope, ref: string): BuildScope | null {
  for (const inner of scope.inner) {
    const found = findScope(inner, ref);
    if (found !== null) return found;
  }
  return scope.refs.has(ref) ? scope : null;
}

/** All parts from `scope` inwards. */
export function withInner(scope: BuildScope): readonly BuildScope[] {
  return [scope, ...scope.inner.flatMap(withInner)];
}

/** What a graph's scans are known by: its last entry says all of it by its digests. */
export function scanKey({ def }: Definition): string {
  return Buffer.from(def.at(-1) ?? "").toString("base64");
}

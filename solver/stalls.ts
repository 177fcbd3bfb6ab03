import type { Vertex } from "./graph.js";

/**
 * Vertices whose key cannot be known before some step has run. What else they and their users will need can be started
 * then, side by side with that step, instead of one after the other.
 */
export interface Stalls {
  /** Called when a vertex's key waits for a step; may be called again. */
  mark(vertex: Vertex): void;
  /** Runs `action` once, as soon as any of these is marked; maybe at once, maybe never. */
  whenAny(vertices: readonly Vertex[], action: () => void): void;
}

/** Nothing is stalled. */
export function createStalls(): Stalls {
  const marked = new Set<Vertex>();
  const waiting = new Map<Vertex, (() => void)[]>();
  return {
    mark(vertex) {
      if (marked.has(vertex)) return;
      marked.add(vertex);
      for (const action of waiting.get(vertex) ?? []) action();
      waiting.delete(vertex);
    },
    whenAny(vertices, action) {
      let done = false;
      const once = () => {
        if (!done) action();
        done = true;
      };
      if (vertices.some((vertex) => marked.has(vertex))) return once();
      for (const vertex of vertices) waiting.set(vertex, [...(waiting.get(vertex) ?? []), once]);
    },
  };
}

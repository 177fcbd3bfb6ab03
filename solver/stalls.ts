import type { Vertex } from "./graph.js";

/**
 * Vertices whose key cannot be known before some step has run. The definition key of whoever uses one will be a new one
 * then, so that its other inputs will be needed too: they can be started side by side with that step. Without this,
 * stages that are copied from one after the other would run one after the other.
 */
export interface Stalls {
  /** Called when a vertex's key waits for a step; may be called again. */
  mark(vertex: Vertex): void;
  /** Marks `user` and runs `action`, once, when an input's vertex is marked: at once, later or never. */
  whenAny(user: Vertex, action: () => void): void;
}

/** Nothing is stalled. */
export function createStalls(): Stalls {
  const marked = new Set<Vertex>();
  const waiting = new Map<Vertex, Set<() => void>>();

  function mark(vertex: Vertex): void {
    if (marked.has(vertex)) return;
    marked.add(vertex);
    const actions = waiting.get(vertex) ?? [];
    waiting.delete(vertex);
    for (const action of actions) action();
  }

  function whenAny(user: Vertex, action: () => void): void {
    let done = false;
    const once = () => {
      if (done) return;
      done = true;
      mark(user);
      action();
    };
    const inputs = user.inputs.map(({ vertex }) => vertex);
    if (inputs.some((vertex) => marked.has(vertex))) return once();
    for (const vertex of inputs) {
      const actions = waiting.get(vertex) ?? new Set();
      waiting.set(vertex, actions.add(once));
    }
  }

  return { mark, whenAny };
}

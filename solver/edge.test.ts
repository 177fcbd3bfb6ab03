import assert from "node:assert/strict";
import { test } from "node:test";
import { digestOf } from "../cache/oci/digest.js";
import type { CacheKey } from "./cacheKey.js";
import { type EdgeState, type Fact, advance } from "./edge.js";

type State = EdgeState<string>;

const definition = digestOf("definition") as CacheKey;
const content = digestOf("content") as CacheKey;
const states: { readonly [P in State["phase"]]: Extract<State, { phase: P }> } = {
  "waiting-for-key": { phase: "waiting-for-key" },
  querying: { phase: "querying", definition },
  "hashing-inputs": { phase: "hashing-inputs", definition },
  "querying-content": { phase: "querying-content", definition, content },
  missed: { phase: "missed", keys: { definition, content } },
  running: { phase: "running", keys: { definition, content } },
  complete: { phase: "complete", outputs: ["r"], cached: false },
  failed: { phase: "failed", error: "e" },
};
const facts: readonly Fact<string>[] = [
  { type: "unkeyable" },
  { type: "definition-key", key: definition },
  { type: "definition-key", key: null },
  { type: "content-key", key: content },
  { type: "miss", next: "content" },
  { type: "miss", next: "run" },
  { type: "hit", outputs: ["r"] },
  { type: "started" },
  { type: "done", outputs: ["r"] },
  { type: "failed", error: "e" },
];
const cached = { ...states.complete, cached: true };

const legal: { readonly [P in State["phase"]]: readonly (readonly [number, State])[] } = {
  "waiting-for-key": [
    [0, { phase: "missed", keys: { definition: null, content: null } }],
    [1, states.querying],
    [2, { phase: "hashing-inputs", definition: null }],
    [9, states.failed],
  ],
  querying: [
    [4, states["hashing-inputs"]],
    [5, { phase: "missed", keys: { definition, content: null } }],
    [6, cached],
    [9, states.failed],
  ],
  "hashing-inputs": [[3, states["querying-content"]], [9, states.failed]],
  "querying-content": [[5, states.missed], [6, cached], [9, states.failed]],
  missed: [[7, states.running], [9, states.failed]],
  running: [[6, cached], [8, states.complete], [9, states.failed]],
  complete: [],
  failed: [],
};

for (const [phase, state] of Object.entries(states) as [State["phase"], State][]) {
  test(`advance() accepts in phase "${phase}" exactly the facts that can happen there`, () => {
    const allowed = new Map(legal[phase]);
    facts.forEach((fact, i) => {
      const next = allowed.get(i);
      if (next === undefined) assert.throws(() => advance(state, fact), /cannot accept fact/);
      else assert.deepEqual(advance(state, fact), next);
    });
  });
}

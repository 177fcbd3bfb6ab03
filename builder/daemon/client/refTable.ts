import { randomBytes } from "node:crypto";
import { TbuildError } from "../../../cache/errors.js";
import type { Ref } from "../../../cache/ref.js";
import type { Definition } from "../../../solver/llb/definition.js";

/** Results that a client knows by id. They are graphs, and need not have run. */
export interface RefTable {
  /** A new id, "" for the empty tree. */
  add(definition: Definition): string;
  /** @throws {TbuildError} not_found */
  get(id: string): Definition;
  /** A new id of a result that is there, for containers alone. */
  addResult(result: Ref): string;
  /** Null for an id of a graph, or of nothing. */
  resultOf(id: string): Ref | null;
}

/** No references yet. */
export function refTable(): RefTable {
  const known = new Map<string, Definition>();
  const results = new Map<string, Ref>();
  return {
    add(definition) {
      if (definition.def.length === 0) return "";
      const id = newId();
      known.set(id, definition);
      return id;
    },
    get(id) {
      if (id === "") return EMPTY;
      const definition = known.get(id);
      if (definition === undefined) throw new TbuildError("not_found", `Cannot find the reference "${id}": this build has not made it`);
      return definition;
    },
    addResult(result) {
      const id = newId();
      results.set(id, result);
      return id;
    },
    resultOf: (id) => results.get(id) ?? null,
  };
}

function newId(): string {
  return randomBytes(16).toString("hex");
}

const EMPTY: Definition = { def: [], metadata: new Map(), source: { infos: [], locations: new Map() } };

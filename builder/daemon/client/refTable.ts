import { randomBytes } from "node:crypto";
import { TbuildError } from "../../../cache/errors.js";
import type { Definition } from "../../../solver/llb/definition.js";

/** Results that a client knows by id. They are graphs, and need not have run. */
export interface RefTable {
  /** A new id, "" for the empty tree. */
  add(definition: Definition): string;
  /** @throws {TbuildError} not_found */
  get(id: string): Definition;
}

/** No references yet. */
export function refTable(): RefTable {
  const known = new Map<string, Definition>();
  return {
    add(definition) {
      if (definition.def.length === 0) return "";
      const id = randomBytes(16).toString("hex");
      known.set(id, definition);
      return id;
    },
    get(id) {
      if (id === "") return EMPTY;
      const definition = known.get(id);
      if (definition === undefined) throw new TbuildError("not_found", `Cannot find the reference "${id}": this build has not made it`);
      return definition;
    },
  };
}

const EMPTY: Definition = { def: [], metadata: new Map(), source: { infos: [], locations: new Map() } };

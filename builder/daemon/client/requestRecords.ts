import type { Digest } from "../../../cache/oci/digest.js";
import { decodeTerminal } from "../../../solver/llb/codec.js";
import type { Definition } from "../../../solver/llb/definition.js";
import type { RequestRecord } from "../../attest/request.js";

/**
 * Which requests made the graphs that builds under way have handed out: a client may give one of them to a frontend, of this build
 * or another. Source: BuildKit, solver/llbsolver/provenance_store.go.
 */
export interface RequestRecords {
  /** Remembers a graph until what is returned is disposed. */
  note(definition: Definition, record: RequestRecord): Disposable;
  /** The request that a graph came from; null when none is known, or several that differ. */
  find(definition: Definition): RequestRecord | null;
}

/** No graphs yet. */
export function requestRecords(): RequestRecords {
  const known = new Map<string, Set<{ readonly record: RequestRecord }>>();
  return {
    note(definition, record) {
      const head = headOf(definition);
      const entry = { record: withoutRoot(record) };
      if (head === null) return { [Symbol.dispose]() {} };
      known.set(head, (known.get(head) ?? new Set()).add(entry));
      return {
        [Symbol.dispose]() {
          known.get(head)?.delete(entry);
          if (known.get(head)?.size === 0) known.delete(head);
        },
      };
    },
    find(definition) {
      const head = headOf(definition);
      const records = [...((head === null ? undefined : known.get(head)) ?? [])].map(({ record }) => record);
      const [first] = records;
      return first !== undefined && records.every((record) => isSameRecord(record, first)) ? first : null;
    },
  };
}

/** True for records that say the same, in whatever order. */
export function isSameRecord(a: RequestRecord, b: RequestRecord): boolean {
  return JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
}

/** The step that a graph asks for: its last entry also says of whom. */
function headOf({ def }: Definition): Digest | null {
  const terminal = def.at(-1);
  return terminal === undefined ? null : decodeTerminal(terminal).digest;
}

function withoutRoot(record: RequestRecord): RequestRecord {
  if (record.request === undefined) return record;
  const { root: _root, ...request } = record.request;
  return { ...record, request };
}

function sorted(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(sorted);
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, field]) => [key, sorted(field)]));
}

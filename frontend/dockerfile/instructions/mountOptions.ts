import type { SourceRange } from "../../../cache/errors.js";
import { parseRamSize } from "../../../cache/ramSize.js";
import { splitCsv } from "../csv.js";
import { badValue, refused } from "../errors.js";
import type { Word } from "../instruction.js";
import { suggest } from "../suggest.js";

/** Kinds of `RUN --mount`. */
export type MountKind = "bind" | "cache" | "tmpfs" | "secret" | "ssh";

/** The options of one `RUN --mount`, expanded; null where not given. */
export interface MountOptions {
  readonly kind: MountKind;
  /** The whole value of the flag. */
  readonly at: SourceRange;
  readonly fromAt: SourceRange;
  readonly from: string | null;
  readonly source: string;
  readonly target: string;
  readonly readonly: boolean;
  /** Bytes; 0 is the default size. */
  readonly size: number;
  readonly id: string;
  readonly sharing: "shared" | "private" | "locked";
  readonly required: boolean;
  /** Variable for a secret; empty is one called like the secret. */
  readonly env: string | null;
  readonly mode: number | null;
  readonly uid: number | null;
  readonly gid: number | null;
}

interface Field {
  /** Expanded; null without "=". */
  readonly value: string | null;
  /** Finds it in the file; only errors ask. */
  readonly at: () => SourceRange;
}

type Fields = ReadonlyMap<string, Field>;

const KINDS: readonly MountKind[] = ["bind", "cache", "tmpfs", "secret", "ssh"];
const UNSOURCED: readonly string[] = ["tmpfs", "secret", "ssh"];
const SHARING = ["shared", "private", "locked"] as const;
const COMMON = ["type", "target", "readonly", "readwrite"];
/** Keys that mean something without a value. */
const BARE = ["readonly", "readwrite", "required", "env"];
const OWNER = ["mode", "uid", "gid"];
const KEYS: Readonly<Record<MountKind, readonly string[]>> = {
  bind: [...COMMON, "from", "source"],
  cache: [...COMMON, ...OWNER, "from", "source", "id", "sharing"],
  tmpfs: [...COMMON, "size"],
  secret: [...COMMON, ...OWNER, "source", "id", "required", "env"],
  ssh: [...COMMON, ...OWNER, "id", "required"],
};
const ALIASES: Readonly<Record<string, string>> = {
  src: "source",
  dst: "target",
  destination: "target",
  ro: "readonly",
  rw: "readwrite",
};
const ALL_KEYS = [...new Set(Object.values(KEYS).flat()), ...Object.keys(ALIASES)];

/** Finds a field of a mount as it is written, for errors. */
export type FieldLocator = (field: string) => SourceRange;

/** The `from` of a mount as written; null for a kind that has none. @throws {TbuildError} when it has a variable */
export function mountFrom(word: Word, locate: FieldLocator): string | null {
  if (!/from|"/i.test(word)) return null; // as most are
  const fields = readFields(word, locate, (value) => value);
  if (UNSOURCED.includes(fields.get("type")?.value?.toLowerCase() ?? "")) return null;
  const field = fields.get("from");
  const from = field?.value ?? null;
  if (field !== undefined && from !== null && /\$./.test(from)) {
    const hint = "Variables are not expanded there; define a stage with FROM and name it";
    throw badValue("from of a mount", from, field.at(), hint);
  }
  return from || null;
}

/** Reads `type=cache,target=/x`. @throws {TbuildError} invalid_argument for a key or value that has no meaning */
export function parseMount(word: Word, locate: FieldLocator, expand: (value: string) => string): MountOptions {
  const fields = readFields(word, locate, expand);
  const kind = choice(fields, "type", KINDS, "bind", "a mount type");
  const at = locate(word);
  checkKeys(fields, kind, at);
  const text = (key: string): string => fields.get(key)?.value ?? "";
  return {
    kind,
    at,
    from: text("from") || null,
    fromAt: locate(text("from")),
    source: text("source"),
    target: text("target"),
    readonly: isReadonly(fields, kind),
    size: sizeOf(fields),
    id: text("id"),
    sharing: choice(fields, "sharing", SHARING, "shared", "the sharing of a mount"),
    required: isSet(fields, "required"),
    env: fields.has("env") ? text("env") : null,
    mode: number(fields, "mode", 8),
    uid: number(fields, "uid", 10),
    gid: number(fields, "gid", 10),
  };
}

/** The last of a key counts, and of `ro` and `rw`. */
function readFields(word: Word, locate: FieldLocator, expand: (value: string) => string): Fields {
  const texts = splitCsv(word);
  if (texts === null) throw badValue("a mount", word, locate(word), 'Put double quotes around a whole field: "source=a,b"');
  const fields = new Map<string, Field>();
  for (const text of texts) {
    const equals = text.indexOf("=");
    const written = (equals < 0 ? text : text.slice(0, equals)).trim().toLowerCase();
    const key = ALIASES[written] ?? written;
    fields.delete(key === "readonly" ? "readwrite" : key === "readwrite" ? "readonly" : key);
    fields.set(key, { value: equals < 0 ? null : expand(text.slice(equals + 1)), at: () => locate(text) });
  }
  return fields;
}

function checkKeys(fields: Fields, kind: MountKind, at: SourceRange): void {
  for (const [key, field] of fields) {
    if (key === "") throw refused("Cannot read a mount with an empty field: a comma is too many, or a key is missing", at);
    if (!ALL_KEYS.includes(key)) {
      const near = suggest(key, ALL_KEYS);
      const hint = near === null ? `Known: ${KEYS[kind].join(", ")}` : `Did you mean "${near}"?`;
      throw badValue("an option of a mount", key, field.at(), hint);
    }
    if (!KEYS[kind].includes(key)) {
      throw refused(`Cannot use "${key}" in a mount of type ${kind}`, field.at(), `Known: ${KEYS[kind].join(", ")}`);
    }
    if (field.value === null && !BARE.includes(key)) {
      throw refused(`Cannot use "${key}" in a mount without a value`, field.at(), `Write ${key}=…`);
    }
  }
  if (kind !== "secret") return;
  if (fields.has("source") && fields.has("id")) throw refused("Cannot use both source and id in a secret mount", at);
  const named = ["source", "target", "id"].some((key) => fields.get(key)?.value);
  if (!named) throw refused("Cannot mount a secret without a name", at, "Give id or target");
}

function isReadonly(fields: Fields, kind: MountKind): boolean {
  if (fields.has("readonly")) return isSet(fields, "readonly");
  if (fields.has("readwrite")) return !isSet(fields, "readwrite");
  return kind !== "cache" && kind !== "tmpfs";
}

function isSet(fields: Fields, key: string): boolean {
  const field = fields.get(key);
  if (field === undefined) return false;
  if (field.value === null || /^(?:1|t|true)$/i.test(field.value)) return true;
  if (/^(?:0|f|false)$/i.test(field.value)) return false;
  throw badValue(`${key} of a mount`, field.value, field.at(), "Write true or false");
}

function number(fields: Fields, key: string, base: 8 | 10): number | null {
  const field = fields.get(key);
  if (field === undefined) return null;
  const text = field.value ?? "";
  const value = (base === 8 ? /^[0-7]+$/ : /^\d+$/).test(text) ? Number.parseInt(text, base) : Number.NaN;
  if (value <= 0xffffffff) return value;
  throw badValue(`${key} of a mount`, text, field.at(), base === 8 ? "Write octal digits, as 0755" : "Write a number");
}

function sizeOf(fields: Fields): number {
  const field = fields.get("size");
  if (field === undefined) return 0;
  const size = parseRamSize(field.value ?? "");
  if (size === null) throw badValue("size of a mount", field.value ?? "", field.at(), "Write a number of bytes, or 64m, 1g");
  return size;
}

function choice<T extends string>(fields: Fields, key: string, known: readonly T[], fallback: T, what: string): T {
  const field = fields.get(key);
  if (field === undefined) return fallback;
  const value = field.value ?? "";
  const found = known.find((candidate) => candidate === value.toLowerCase());
  if (found !== undefined) return found;
  const near = suggest(value, known);
  throw badValue(what, value, field.at(), near === null ? `Known: ${known.join(", ")}` : `Did you mean "${near}"?`);
}

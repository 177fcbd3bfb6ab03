import type { SourceRange } from "../../../cache/errors.js";
import { badValue, refused } from "../errors.js";
import type { Word } from "../instruction.js";
import { suggest } from "../suggest.js";

/** Kinds of `RUN --mount`. */
export type MountKind = "bind" | "cache" | "tmpfs" | "secret" | "ssh";

/** The options of one `RUN --mount`, expanded; null where not given. */
export interface MountOptions {
  readonly kind: MountKind;
  readonly from: string | null;
  readonly source: string;
  readonly target: string;
  readonly readonly: boolean;
  /** Bytes; 0 is the default size. */
  readonly size: number;
  readonly id: string;
  readonly sharing: "shared" | "private" | "locked";
  readonly required: boolean;
  readonly env: string | null;
  readonly mode: number | null;
  readonly uid: number | null;
  readonly gid: number | null;
}

type Fields = ReadonlyMap<string, string | null>;

const KINDS: readonly MountKind[] = ["bind", "cache", "tmpfs", "secret", "ssh"];
const SHARING = ["shared", "private", "locked"] as const;
const COMMON = ["type", "target", "readonly", "readwrite"];
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

/** The `from` of a mount as written. @throws {TbuildError} invalid_argument when it has a variable */
export function mountFrom(word: Word, at: SourceRange): string | null {
  const from = readFields(word, (value) => value).get("from") ?? null;
  if (from !== null && /\$./.test(from)) {
    throw badValue("from of a mount", from, at, "Variables are not expanded there; define a stage with FROM and name it");
  }
  return from;
}

/** Reads `type=cache,target=/x`. @throws {TbuildError} invalid_argument for a key or value that has no meaning */
export function parseMount(word: Word, at: SourceRange, expand: (value: string) => string): MountOptions {
  const fields = readFields(word, expand);
  const kind = oneOf(KINDS, fields.get("type") ?? "bind", "a mount type", at);
  checkKeys(fields, kind, at);
  const text = (key: string): string => fields.get(key) ?? "";
  return {
    kind,
    from: fields.get("from") || null,
    source: text("source"),
    target: text("target"),
    readonly: readOnly(fields, kind, at),
    size: fields.has("size") ? parseSize(text("size"), at) : 0,
    id: text("id"),
    sharing: oneOf(SHARING, fields.get("sharing") ?? "shared", "the sharing of a mount", at),
    required: flag(fields, "required", false, at),
    env: fields.get("env") ?? null,
    mode: number(fields, "mode", 8, at),
    uid: number(fields, "uid", 10, at),
    gid: number(fields, "gid", 10, at),
  };
}

/** Splits at commas outside double quotes; a field without "=" has the value null. The last of a key counts. */
function readFields(word: Word, expand: (value: string) => string): Fields {
  const fields = word.match(/(?:"(?:[^"]|"")*"|[^,])+/g) ?? [];
  return new Map(fields.map((field) => {
    const plain = field.startsWith('"') ? field.slice(1, -1).replaceAll('""', '"') : field;
    const at = plain.indexOf("=");
    const key = (at < 0 ? plain : plain.slice(0, at)).trim().toLowerCase();
    return [ALIASES[key] ?? key, at < 0 ? null : expand(plain.slice(at + 1))];
  }));
}

function checkKeys(fields: Fields, kind: MountKind, at: SourceRange): void {
  for (const [key, value] of fields) {
    if (!ALL_KEYS.includes(key)) {
      const near = suggest(key, ALL_KEYS);
      throw badValue("an option of a mount", key, at, near === null ? undefined : `Did you mean "${near}"?`);
    }
    if (!KEYS[kind].includes(key)) throw refused(`Cannot use "${key}" in a mount of type ${kind}`, at);
    if (value === null && !["readonly", "readwrite", "required"].includes(key)) {
      throw refused(`Cannot use "${key}" in a mount without a value`, at, `Write ${key}=…`);
    }
  }
  if (kind !== "secret") return;
  if (fields.has("source") && fields.has("id")) throw refused("Cannot use both source and id in a secret mount", at);
  const named = ["source", "target", "id"].some((key) => fields.get(key));
  if (!named) throw refused("Cannot mount a secret without a name", at, "Give id or target");
}

function readOnly(fields: Fields, kind: MountKind, at: SourceRange): boolean {
  if (fields.has("readonly")) return flag(fields, "readonly", true, at);
  if (fields.has("readwrite")) return !flag(fields, "readwrite", true, at);
  return kind !== "cache" && kind !== "tmpfs";
}

function flag(fields: Fields, key: string, bare: boolean, at: SourceRange): boolean {
  const text = fields.get(key);
  if (text === undefined) return false;
  if (text === null) return bare || key === "required";
  if (/^(?:1|t|true)$/i.test(text)) return true;
  if (/^(?:0|f|false)$/i.test(text)) return false;
  throw badValue(`${key} of a mount`, text, at, "Write true or false");
}

function number(fields: Fields, key: string, base: 8 | 10, at: SourceRange): number | null {
  const text = fields.get(key);
  if (text === undefined || text === null) return null;
  const value = (base === 8 ? /^[0-7]+$/ : /^\d+$/).test(text) ? Number.parseInt(text, base) : Number.NaN;
  if (!(value <= 0xffffffff)) throw badValue(`${key} of a mount`, text, at);
  return value;
}

/** "64m", "1.5GiB": units are powers of 1024. */
function parseSize(text: string, at: SourceRange): number {
  const match = /^(\d+(?:\.\d+)?) ?([kmgtp]?)(?:i?b)?$/i.exec(text);
  if (match === null) throw badValue("size of a mount", text, at, "Write a number of bytes, or 64m, 1g");
  const power = "kmgtp".indexOf((match[2] ?? "").toLowerCase() || "-") + 1;
  return Math.floor(Number(match[1]) * 1024 ** power);
}

function oneOf<T extends string>(known: readonly T[], value: string, what: string, at: SourceRange): T {
  const found = known.find((candidate) => candidate === value.toLowerCase());
  if (found !== undefined) return found;
  const near = suggest(value, known);
  throw badValue(what, value, at, near === null ? `Known: ${known.join(", ")}` : `Did you mean "${near}"?`);
}

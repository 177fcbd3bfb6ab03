import { globMatcher } from "../../cache/tree/glob.js";
import { parseDuration } from "../age.js";
import { unknownWord, usage } from "../usage.js";
import { keyValue } from "./keyValue.js";

/** Which images a command is about; all that is null or empty holds for every image. */
export interface ImageFilter {
  readonly dangling: boolean | null;
  /** One of these must match `name:tag` or `name`. */
  readonly references: readonly ((name: string) => boolean)[];
  /** All must hold. `value` null: whatever the value is. */
  readonly labels: readonly { readonly key: string; readonly value: string | null; readonly wanted: boolean }[];
  /** Images (names or IDs) before or after whose creation an image must have been created. */
  readonly before: readonly string[];
  readonly since: readonly string[];
  /** Milliseconds since the epoch; an image must be older. */
  readonly until: number | null;
}

/** Keys of `--filter`. */
export type FilterKey = "dangling" | "reference" | "label" | "label!" | "before" | "since" | "until";

/** Matches every image. */
export const noFilter: ImageFilter = { dangling: null, references: [], labels: [], before: [], since: [], until: null };

/** `--filter KEY=VALUE`, of which the command takes `keys`; `now` in milliseconds since the epoch. @throws {TbuildError} usage, invalid_argument */
export function parseImageFilter(texts: readonly string[], keys: readonly FilterKey[], now: number): ImageFilter {
  let filter = noFilter;
  for (const text of texts) {
    const [key, value] = keyValue(text, "--filter");
    if (value === "" || !isKey(key, keys)) throw badFilter(text, key, value, keys);
    filter = { ...filter, ...READERS[key](value, filter, now) };
  }
  return filter;
}

const READERS: Readonly<Record<FilterKey, (value: string, filter: ImageFilter, now: number) => Partial<ImageFilter>>> = {
  dangling: (value) => ({ dangling: truth(value) }),
  reference: (value, { references }) => ({ references: [...references, referencePattern(value)] }),
  label: (value, { labels }) => ({ labels: [...labels, labelOf(value, true)] }),
  "label!": (value, { labels }) => ({ labels: [...labels, labelOf(value, false)] }),
  before: (value, { before }) => ({ before: [...before, value] }),
  since: (value, { since }) => ({ since: [...since, value] }),
  until: (value, _filter, now) => ({ until: instant(value, now) }),
};

/** A pattern for names, as Go's path.Match has them: `*` stops at a slash. @throws {TbuildError} invalid_argument */
export function referencePattern(pattern: string): (name: string) => boolean {
  return globMatcher(pattern);
}

function isKey(key: string, keys: readonly FilterKey[]): key is FilterKey {
  return keys.some((known) => known === key);
}

function badFilter(text: string, key: string, value: string, keys: readonly FilterKey[]): Error {
  if (isKey(key, keys) && value === "") return usage(`Cannot read --filter "${text}"`, `Write --filter ${key}=VALUE`);
  return unknownWord("filter", key, keys);
}

function truth(value: string): boolean {
  if (/^(?:true|1|t)$/i.test(value)) return true;
  if (/^(?:false|0|f)$/i.test(value)) return false;
  throw usage(`Cannot use --filter "dangling=${value}"`, "Write dangling=true or dangling=false");
}

function labelOf(text: string, wanted: boolean): ImageFilter["labels"][number] {
  const [key, value] = keyValue(text, "--filter label=");
  return { key, value: text.includes("=") ? value : null, wanted };
}

/** A duration before now, seconds since the epoch, or RFC 3339. */
function instant(text: string, now: number): number {
  const duration = parseDuration(text);
  const time = duration !== null ? now - duration : /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text);
  if (Number.isNaN(time)) throw usage(`Cannot use --filter "until=${text}"`, "Write a duration such as 24h, or a time such as 2024-05-06T07:08:09Z");
  return time;
}

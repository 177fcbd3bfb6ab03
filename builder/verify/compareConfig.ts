import { type ImageConfig, inlineKey } from "../../cache/oci/descriptor.js";
import type { ValueDifference } from "./report.js";

/** Fields that two configs do not have in common, "config.Env[1]". Layers are compared elsewhere, a cache inside not at all. Pure. */
export function compareConfigs(image: ImageConfig, rebuilt: ImageConfig): readonly ValueDifference[] {
  const found: ValueDifference[] = [];
  compareValues(comparable(image), comparable(rebuilt), "", found);
  return found;
}

function comparable({ rootfs: { diff_ids: _layers, ...rootfs }, [inlineKey]: _cache, ...config }: ImageConfig): object {
  return { ...config, rootfs };
}

function compareValues(image: unknown, rebuilt: unknown, field: string, found: ValueDifference[]): void {
  if (isSame(image, rebuilt)) return;
  if (image === undefined && isFields(rebuilt)) return compareValues({}, rebuilt, field, found);
  if (rebuilt === undefined && isFields(image)) return compareValues(image, {}, field, found);
  if (isObject(image) && isObject(rebuilt) && Array.isArray(image) === Array.isArray(rebuilt)) {
    const keys = Array.isArray(image) ? indexes(image, rebuilt) : [...new Set([...Object.keys(image), ...Object.keys(rebuilt)])];
    for (const key of keys) compareValues(image[key], rebuilt[key], joined(field, key, Array.isArray(image)), found);
    return;
  }
  found.push({ field, image: text(image), rebuilt: text(rebuilt) });
}

type Fields = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null;
}

/** Something of which each field is told; a line of history is told as one. */
function isFields(value: unknown): value is Fields {
  return isObject(value) && !Array.isArray(value) && value["created_by"] === undefined;
}

/** Whether a field is left out, null or empty makes no difference to who runs the image. */
function isSame(image: unknown, rebuilt: unknown): boolean {
  return image === rebuilt || (isNothing(image) && isNothing(rebuilt));
}

function isNothing(value: unknown): boolean {
  return value === undefined || value === null || value === "" || value === false || (isObject(value) && Object.keys(value).length === 0);
}

function indexes(image: Fields, rebuilt: Fields): readonly string[] {
  const length = Math.max(Object.keys(image).length, Object.keys(rebuilt).length);
  return Array.from({ length }, (_, index) => String(index));
}

function joined(field: string, key: string, isIndex: boolean): string {
  if (isIndex) return `${field}[${key}]`;
  const plain = /^[\w.-]+$/.test(key) && !key.includes(".") ? key : null;
  if (plain === null) return `${field}[${JSON.stringify(key)}]`;
  return field === "" ? plain : `${field}.${plain}`;
}

function text(value: unknown): string | null {
  if (value === undefined) return null;
  // Of a line of history that only one has, this says what it is.
  return JSON.stringify(isObject(value) ? (value["created_by"] ?? value) : value);
}

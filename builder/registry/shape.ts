/** True for a value of the type that a field wants; absent and null count as empty, as Go writes them. */
type Check = (value: unknown) => boolean;

type Fields = Readonly<Record<string, Check>>;

const isText: Check = (value) => typeof value === "string";
const isNumber: Check = (value) => typeof value === "number";
const isBool: Check = (value) => typeof value === "boolean";
const isObject: Check = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
const isTexts: Check = (value) => Array.isArray(value) && value.every(isText);
const isMap: Check = (value) => isObject(value) && Object.values(value as object).every(isText);

const PLATFORM: Fields = { os: isText, architecture: isText, variant: isText, "os.version": isText, "os.features": isTexts };

const HEALTHCHECK: Fields = { Test: isTexts, Interval: isNumber, Timeout: isNumber, StartPeriod: isNumber, StartInterval: isNumber, Retries: isNumber };

const HISTORY: Fields = { created: isText, created_by: isText, author: isText, comment: isText, empty_layer: isBool };

/** Source: OCI image-spec config.md; Docker image spec v1.2. */
const RUN: Fields = {
  User: isText,
  ExposedPorts: isObject,
  Env: isTexts,
  Entrypoint: isTexts,
  Cmd: isTexts,
  Volumes: isObject,
  WorkingDir: isText,
  Labels: isMap,
  StopSignal: isText,
  ArgsEscaped: isBool,
  Healthcheck: hasFields(HEALTHCHECK),
  OnBuild: isTexts,
  Shell: isTexts,
};

/** Path of the first field of an image config that has another type than it should, "config.Env"; null when all are right. */
export function wrongConfigField(config: Readonly<Record<string, unknown>>): string | null {
  const top = wrongField(config, { ...PLATFORM, created: isText, author: isText, config: isObject, history: isHistory });
  if (top !== null) return top;
  const run = wrongField((config["config"] ?? {}) as Readonly<Record<string, unknown>>, RUN);
  return run === null ? null : `config.${run}`;
}

/** What Go writes as null, left out: it means the same and nobody has to think of it. */
export function withoutNulls(value: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== null));
}

/** True for a descriptor's platform, or none. */
export function isPlatform(value: unknown): boolean {
  return isEmpty(value) || hasFields(PLATFORM)(value);
}

/** True for a map of texts, or none. */
export function isTextMap(value: unknown): boolean {
  return isEmpty(value) || isMap(value);
}

/** True for a list of texts, or none. */
export function isTextList(value: unknown): boolean {
  return isEmpty(value) || isTexts(value);
}

function isHistory(value: unknown): boolean {
  return Array.isArray(value) && value.every(hasFields(HISTORY));
}

function hasFields(fields: Fields): Check {
  return (value) => isObject(value) && wrongField(value as Readonly<Record<string, unknown>>, fields) === null;
}

function wrongField(value: Readonly<Record<string, unknown>>, fields: Fields): string | null {
  return Object.keys(fields).find((name) => !isEmpty(value[name]) && !fields[name]!(value[name])) ?? null;
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === null;
}

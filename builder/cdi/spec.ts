import { createRequire } from "node:module";
import type Yaml from "yaml";
import { TbuildError } from "../../cache/errors.js";

/** What a device changes in a container. Source: CDI SPEC.md "containerEdits". */
export interface ContainerEdits {
  /** `K=V`. */
  readonly env: readonly string[];
  readonly deviceNodes: readonly CdiNode[];
  readonly mounts: readonly CdiMount[];
  readonly hooks: readonly CdiHook[];
  readonly additionalGids: readonly number[];
}

/** A device node; what is not said is as the node on this machine has it. */
export interface CdiNode {
  readonly path: string;
  readonly hostPath?: string;
  readonly type?: "c" | "b" | "u" | "p";
  readonly major?: number;
  readonly minor?: number;
  readonly fileMode?: number;
  /** Of "r", "w" and "m"; all of them unless given. */
  readonly permissions?: string;
  readonly uid?: number;
  readonly gid?: number;
}

/** A mount of a path of this machine. */
export interface CdiMount {
  readonly hostPath: string;
  readonly containerPath: string;
  readonly type?: string;
  readonly options?: readonly string[];
}

/** A program of this machine that the OCI runtime runs at a point of the container's life. */
export interface CdiHook {
  readonly hookName: string;
  readonly path: string;
  readonly args?: readonly string[];
  readonly env?: readonly string[];
  /** Seconds. */
  readonly timeout?: number;
}

/** One CDI specification. */
export interface CdiSpec {
  /** `vendor/class`. */
  readonly kind: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly devices: readonly CdiSpecDevice[];
  readonly edits: ContainerEdits;
}

/** A device as its specification has it. */
export interface CdiSpecDevice {
  readonly name: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly edits: ContainerEdits;
}

const EDITS = ["env", "deviceNodes", "mounts", "hooks", "additionalGids"];
const KIND = /^[A-Za-z][\w.-]*\/[A-Za-z][\w-]*$/;

/** Reads a CDI specification in JSON, or in YAML where the file's name says so. @throws {TbuildError} parse_failed, unsupported for edits that tbuild does not know */
export function parseCdi(file: string, text: string): CdiSpec {
  const spec = record(file, parseData(file, text));
  const { kind, devices } = spec;
  if (typeof kind !== "string" || !KIND.test(kind)) throw malformed(file, '"kind" is not "vendor/class"');
  if (!Array.isArray(devices)) throw malformed(file, '"devices" is not a list');
  return {
    kind,
    annotations: annotations(spec["annotations"]),
    devices: devices.map((value: unknown) => device(file, record(file, value))),
    edits: edits(file, spec["containerEdits"]),
  };
}

function device(file: string, value: Readonly<Record<string, unknown>>): CdiSpecDevice {
  const { name } = value;
  if (typeof name !== "string" || name === "") throw malformed(file, "a device has no name");
  return { name, annotations: annotations(value["annotations"]), edits: edits(file, value["containerEdits"]) };
}

function edits(file: string, value: unknown): ContainerEdits {
  const from = value === undefined ? {} : record(file, value);
  const unknown = Object.keys(from).find((key) => !EDITS.includes(key));
  if (unknown !== undefined) throw new TbuildError("unsupported", `Cannot use "${file}": the edit "${unknown}" is not supported`);
  const nodes = list(file, from, "deviceNodes") as readonly CdiNode[];
  const mounts = list(file, from, "mounts") as readonly CdiMount[];
  const hooks = list(file, from, "hooks") as readonly CdiHook[];
  requireTexts(file, nodes, ["path"]);
  requireTexts(file, mounts, ["hostPath", "containerPath"]);
  requireTexts(file, hooks, ["hookName", "path"]);
  const outside = nodes.find((node) => !node.path.startsWith("/dev/") || node.path.includes(".."));
  if (outside !== undefined) throw new TbuildError("unsupported", `Cannot use "${file}": the device "${outside.path}" is not below /dev`);
  return {
    env: list(file, from, "env").map(String),
    deviceNodes: nodes,
    mounts,
    hooks,
    additionalGids: list(file, from, "additionalGids").map(Number),
  };
}

function requireTexts(file: string, items: readonly unknown[], keys: readonly string[]): void {
  for (const item of items) {
    const values = record(file, item);
    const missing = keys.find((key) => typeof values[key] !== "string" || values[key] === "");
    if (missing !== undefined) throw malformed(file, `an edit lacks "${missing}"`);
  }
}

function list(file: string, from: Readonly<Record<string, unknown>>, key: string): readonly unknown[] {
  const value = from[key] ?? [];
  if (!Array.isArray(value)) throw malformed(file, `"${key}" is not a list`);
  return value as unknown[];
}

function annotations(value: unknown): Readonly<Record<string, string>> {
  const pairs = typeof value === "object" && value !== null ? Object.entries(value) : [];
  return Object.fromEntries(pairs.map(([key, text]) => [key, String(text)]));
}

function record(file: string, value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw malformed(file, "it is not an object where one belongs");
}

const require = createRequire(import.meta.url);

/** Loaded for the first file that needs it. */
function yamlParser(): (text: string) => unknown {
  return (require("yaml") as typeof Yaml).parse;
}

function parseData(file: string, text: string): unknown {
  try {
    return file.endsWith(".json") ? JSON.parse(text) : yamlParser()(text);
  } catch (error) {
    throw malformed(file, String(error));
  }
}

function malformed(file: string, why: string): TbuildError {
  return new TbuildError("parse_failed", `Cannot read the CDI specification "${file}": ${why}`);
}

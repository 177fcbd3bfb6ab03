import { readFileSync, statSync } from "node:fs";
import { TbuildError } from "../../cache/errors.js";
import type { SecretSpec } from "../request.js";
import type { KnownSecret, SecretStore } from "./secretStore.js";

/** Largest secret, as BuildKit has it. */
const MAX_BYTES = 500 * 1024;
/** A shorter value would be found in texts that have nothing to do with it. */
const LEAST_FOUND = 6;

/** The secrets that a build was given; the last of an id counts. */
export function createSecrets(specs: readonly SecretSpec[]): SecretStore {
  const byId = new Map(specs.map((spec) => [spec.id, spec]));
  return secretStore([...byId.keys()], (id) => readSecret(byId.get(id)!));
}

/**
 * A store of the secrets of these ids. `read` is asked once for each, and gives null for one that is not there.
 * @throws {TbuildError} resource_exhausted when a value is larger than 500 KiB
 */
export function secretStore(ids: readonly string[], read: (id: string) => Buffer | null): SecretStore {
  const given = new Set(ids);
  const values = new Map<string, Buffer | null>();
  const get = (id: string): Buffer | null => {
    if (given.has(id) && !values.has(id)) values.set(id, bounded(id, read(id)));
    return values.get(id) ?? null;
  };
  const telling = (): readonly KnownSecret[] =>
    [...given]
      .map((id) => ({ id, value: trimmed(valueOrNull(() => get(id)) ?? Buffer.alloc(0)) }))
      .filter(({ value }) => value.length >= LEAST_FOUND);
  return {
    get,
    known: () =>
      [...values]
        .flatMap(([id, value]) => (value === null ? [] : [{ id, value }]))
        .sort((a, b) => b.value.length - a.value.length),
    telling,
    findIn: (text) => telling().find(({ value }) => Buffer.from(text).includes(value))?.id ?? null,
  };
}

/** Without the white space around it, which an editor adds and a program leaves out. */
function trimmed(value: Buffer): Buffer {
  return Buffer.from(value.toString("latin1").trim(), "latin1");
}

/** A check does not fail a build for a secret that no step asks for. */
function valueOrNull(read: () => Buffer | null): Buffer | null {
  try {
    return read();
  } catch {
    return null;
  }
}

/** A variable that is not set is no secret at all. */
function readSecret({ id, from }: SecretSpec): Buffer | null {
  if (from.kind === "env") {
    const value = process.env[from.name];
    return value === undefined ? null : Buffer.from(value);
  }
  try {
    if (statSync(from.path).isFile() && statSync(from.path).size > MAX_BYTES) throw tooLarge(id);
    return readFileSync(from.path);
  } catch (error) {
    throw readError(error, id, from.path);
  }
}

function bounded(id: string, value: Buffer | null): Buffer | null {
  if (value !== null && value.length > MAX_BYTES) throw tooLarge(id);
  return value;
}

function tooLarge(id: string): TbuildError {
  return new TbuildError("resource_exhausted", `Cannot use the secret "${id}": it is larger than 500 KiB`);
}

function readError(error: unknown, id: string, path: string): unknown {
  const { code } = error as NodeJS.ErrnoException;
  const why = { ENOENT: "no such file", EACCES: "permission denied", EISDIR: "it is a directory" }[code ?? ""];
  if (why === undefined) return error;
  return new TbuildError("not_found", `Cannot read the secret "${id}" from "${path}": ${why}`, { cause: error });
}

import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { TbuildError } from "../../cache/errors.js";
import type { TlsFiles } from "../../builder/remote/tlsFiles.js";
import { replaceFile } from "../resultFile.js";

/** A builder elsewhere that has a name. */
export interface BuilderDefinition {
  readonly name: string;
  /** In the order in which they are preferred. */
  readonly nodes: readonly DefinedNode[];
}

/** One machine of it. */
export interface DefinedNode {
  readonly name: string;
  readonly address: string;
  /** Platforms that are to be built there first of all, as `formatPlatform` writes them. */
  readonly platforms: readonly string[];
  /** Absolute paths. */
  readonly tls: TlsFiles;
}

/** What builds in this process. */
export const DEFAULT_BUILDER = "default";

/** A file for each builder, and one with the name of the one in use. */
function directory(): string {
  const config = process.env["XDG_CONFIG_HOME"] || path.join(os.homedir(), ".config");
  return process.env["TBUILD_BUILDERS"] || path.join(config, "tbuild", "builders");
}

const NAME = /^[A-Za-z0-9][\w.-]{0,63}$/;

/** @throws {TbuildError} invalid_argument for what can be no name of a builder or a node */
export function checkName(name: string, what: "builder" | "node"): void {
  if (NAME.test(name)) return;
  throw new TbuildError("invalid_argument", `Cannot call a ${what} "${name}"`, { hint: "Use letters, digits, dots, dashes and underscores" });
}

/** The builder of that name; null when there is none. @throws {TbuildError} parse_failed, permission_denied */
export function readDefinition(name: string): BuilderDefinition | null {
  if (!NAME.test(name)) return null;
  const file = fileOf(name);
  const text = readText(file);
  return text === null ? null : parsed(text, name, file);
}

/** All of them, by name. @throws {TbuildError} parse_failed, permission_denied */
export function listDefinitions(): readonly BuilderDefinition[] {
  const names = filesIn(directory()).flatMap((file) => /^([^.].*)\.json$/.exec(file)?.[1] ?? []);
  return names.sort().flatMap((name) => readDefinition(name) ?? []);
}

/** Creates or replaces a builder. @throws {TbuildError} permission_denied, resource_exhausted */
export function writeDefinition(definition: BuilderDefinition): void {
  write(fileOf(definition.name), `${JSON.stringify(definition, null, 2)}\n`);
}

/** Forgets a builder. One that is not there is no error. @throws {TbuildError} permission_denied */
export function removeDefinition(name: string): void {
  remove(fileOf(name));
  if (usedName() === name) use(null);
}

/** The name that `use` has chosen; null for this process. */
export function usedName(): string | null {
  const name = readText(usedFile())?.trim() ?? "";
  return name === "" ? null : name;
}

/** Chooses the builder of command lines that name none; null is this process. @throws {TbuildError} permission_denied, resource_exhausted */
export function use(name: string | null): void {
  if (name === null) remove(usedFile());
  else write(usedFile(), `${name}\n`);
}

function fileOf(name: string): string {
  return path.join(directory(), `${name}.json`);
}

function usedFile(): string {
  return path.join(directory(), "used");
}

function write(file: string, text: string): void {
  try {
    mkdirSync(directory(), { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new TbuildError("permission_denied", `Cannot keep builders in "${directory()}": ${(error as NodeJS.ErrnoException).code}`, { cause: error });
  }
  replaceFile(file, text);
}

function remove(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch (error) {
    throw new TbuildError("permission_denied", `Cannot remove "${file}": ${(error as NodeJS.ErrnoException).code}`, { cause: error });
  }
}

function filesIn(dir: string): readonly string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}

function readText(file: string): string | null {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return null;
    throw new TbuildError("permission_denied", `Cannot read "${file}": ${code}`, { cause: error });
  }
}

function parsed(text: string, name: string, file: string): BuilderDefinition {
  try {
    const { nodes } = JSON.parse(text) as { readonly nodes: readonly Partial<DefinedNode>[] };
    return { name, nodes: nodes.map((node) => nodeIn(node)) };
  } catch (error) {
    const hint = `Make it anew: tbuild builder rm ${name}, and tbuild builder create`;
    throw new TbuildError("parse_failed", `Cannot read the builder "${name}": "${file}" is not what tbuild writes`, { hint, cause: error });
  }
}

function nodeIn({ name, address, platforms = [], tls = {} }: Partial<DefinedNode>): DefinedNode {
  if (typeof name !== "string" || typeof address !== "string") throw new TypeError("a node has no name or address");
  return { name, address, platforms: platforms.map(String), tls };
}

import { existsSync, readdirSync, type Dirent } from "node:fs";
import path from "node:path";
import { TbuildError } from "../cache/errors.js";
import { nameIn } from "./textFile.js";

/** What the Dockerfile of a context is called, in order of preference. */
const NAMES = ["Dockerfile", "dockerfile", "Containerfile"] as const;

/**
 * Absolute path of the Dockerfile. `-f` is relative to the working directory, as Docker has it, and may lie outside the
 * context; the default is in the context. @throws {TbuildError} not_found, with files that may have been meant
 */
export function dockerfilePath(context: string, given: string | undefined): string {
  const candidates = given === undefined ? NAMES.map((name) => path.join(context, name)) : [path.resolve(given)];
  const found = candidates.find((candidate) => existsSync(candidate));
  if (found !== undefined) return found;
  if (given !== undefined) throw missing(`Cannot read "${given}": no such file`, hintFor(context, given));
  throw missing(`Cannot find a Dockerfile in "${context}"`, hintFor(context, null));
}

function missing(message: string, hint: string): TbuildError {
  return new TbuildError("not_found", message, { hint });
}

function hintFor(context: string, given: string | null): string {
  const inContext = given === null || path.isAbsolute(given) ? null : path.join(context, given);
  if (inContext !== null && existsSync(inContext)) {
    return `-f is relative to the working directory: did you mean -f ${fromHere(inContext)}?`;
  }
  const similar = dockerfilesIn(context);
  const [only] = similar;
  if (only === undefined) return given === null ? "Name the Dockerfile with -f" : "No file of the context is named like a Dockerfile";
  if (similar.length === 1) return `Did you mean -f ${fromHere(only)}?`;
  const more = similar.length > MAX_SHOWN ? ", …" : "";
  return `Name one with -f: ${similar.slice(0, MAX_SHOWN).map(fromHere).join(", ")}${more}`;
}

function fromHere(file: string): string {
  return nameIn(process.cwd(), file);
}

const MAX_SHOWN = 5;
const MAX_DEPTH = 3;
const MAX_DIRECTORIES = 1_000;

/** Files named like a Dockerfile, those near the top first. Only so many directories are looked into. */
function dockerfilesIn(context: string): readonly string[] {
  const found: string[] = [];
  let level = [context];
  let left = MAX_DIRECTORIES;
  for (let depth = 0; depth <= MAX_DEPTH && left > 0; depth++) {
    const entries = level.slice(0, left).flatMap((dir) => entriesOf(dir));
    left -= level.length;
    found.push(...entries.filter((entry) => entry.isFile() && isDockerfileName(entry.name)).map(pathOf));
    level = entries.filter((entry) => entry.isDirectory() && entry.name !== "node_modules" && !entry.name.startsWith(".")).map(pathOf);
  }
  return found;
}

function isDockerfileName(name: string): boolean {
  return /dockerfile|containerfile/i.test(name) && !name.endsWith("ignore");
}

function pathOf(entry: Dirent): string {
  return path.join(entry.parentPath, entry.name);
}

function entriesOf(dir: string): readonly Dirent[] {
  try {
    return readdirSync(dir, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch {
    return []; // It is only a hint.
  }
}

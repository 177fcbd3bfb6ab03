import { posix } from "node:path";
import { cleanPath } from "../contextPaths.js";
import type { StageInstruction } from "../convertState.js";
import type { AddInstruction, CopyInstruction, RunInstruction } from "../instruction.js";
import { type WarningSink, violation } from "../lint.js";
import { commandText } from "./secretValues.js";
import type { Sections } from "../stages.js";

/** A command that installs what a file lists. */
interface Installer {
  /** At the beginning of a command; the first group is what is shown. */
  readonly command: RegExp;
  /** Files that list dependencies. */
  readonly manifests: readonly string[];
  /** For the message. */
  readonly files: string;
}

const installers: readonly Installer[] = [
  installer("npm (?:ci|install|i)", "alone", "package.json", "package-lock.json"),
  installer("yarn(?: install)?", "alone", "package.json", "yarn.lock"),
  installer("pnpm (?:install|i)", "alone", "package.json", "pnpm-lock.yaml"),
  installer("(?:python3? -m )?pip3? install(?: [^;&|\\n]*?)? (?:-r|--requirement)[ =]?[^\\s;&|]+", "any", "requirements.txt"),
  installer("poetry install", "any", "pyproject.toml", "poetry.lock"),
  installer("go mod download", "any", "go.mod", "go.sum"),
  installer("bundle install", "any", "Gemfile", "Gemfile.lock"),
  installer("composer install", "any", "composer.json", "composer.lock"),
  installer("cargo fetch", "any", "Cargo.toml", "Cargo.lock"),
  installer("(?:\\./)?mvnw?(?: [^;&|\\n]*?)? dependency:[\\w-]+", "any", "pom.xml"),
  installer("(?:\\./)?gradlew?(?: [^;&|\\n]*?)? dependencies", "any", "build.gradle", "build.gradle.kts"),
];

/** Of `words`, a pattern for text with single blanks; "alone" lets only options follow, as a name would not come from a list. */
function installer(words: string, follow: "alone" | "any", ...manifests: readonly string[]): Installer {
  const end = follow === "alone" ? "(?=(?: --[^\\s;&|]+)* ?(?:$|[;&|)]))" : "(?![\\w-])";
  const command = new RegExp(`(?:^|[;&|(]) ?(?:\\w+=[^\\s;&|]* )*(${words})${end}`, "m");
  return { command, manifests, files: manifests.join(" and ") };
}

/** What a stage copied before its whole context. */
interface Copied {
  /** Sources as written, wildcards included. */
  readonly names: readonly string[];
  readonly whole: CopyInstruction | AddInstruction | null;
}

/**
 * Warns of a copy of the whole context before dependencies are installed: any change then installs them again. Silent when
 * something that may be their list was copied before, also in the stage that a stage is based on.
 */
export function lintInstallOrder({ stages }: Sections, warn: WarningSink): void {
  const ends = new Map<string, Copied>();
  for (const { from, body } of stages) {
    const start = { names: ends.get(from.image.toLowerCase())?.names ?? [], whole: null };
    const end = body.reduce<Copied>((copied, ins) => after(copied, ins, warn), start);
    if (from.as !== null) ends.set(from.as, end);
  }
}

function after(copied: Copied, ins: StageInstruction, warn: WarningSink): Copied {
  if (ins.name === "run" && copied.whole !== null) lintRun(ins, copied.whole, copied.names, warn);
  if ((ins.name !== "copy" && ins.name !== "add") || copied.whole !== null) return copied;
  if (ins.name === "copy" && ins.from !== null) return copied;
  if (ins.sources.some((source) => cleanPath(source) === ".")) return { ...copied, whole: ins };
  return { ...copied, names: [...copied.names, ...ins.sources] };
}

function lintRun(run: RunInstruction, whole: NonNullable<Copied["whole"]>, names: readonly string[], warn: WarningSink): void {
  const text = commandText(run).replace(/[ \t]+/g, " ");
  for (const { command: pattern, manifests, files } of installers) {
    const found = pattern.exec(text);
    if (found === null || names.some((name) => mayBe(posix.basename(name), manifests))) continue;
    warn(violation("CacheBustingOrder", whole.at, whole.name.toUpperCase(), found[1] ?? "", files));
  }
}

/** A variable or wildcard may stand for anything; requirements come under many names. */
function mayBe(name: string, manifests: readonly string[]): boolean {
  if (/[*?[$]/.test(name) || manifests.includes(name)) return true;
  return manifests.includes("requirements.txt") && /requirements|\.txt$/.test(name);
}

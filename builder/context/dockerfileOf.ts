import path from "node:path";
import { TbuildError } from "../../cache/errors.js";
import { redacted } from "../../frontend/dockerfile/gitUrl.js";
import { dockerfilePath } from "../dockerfilePath.js";
import { resolvedInRoot } from "../executor/rootFile.js";
import { nameIn, readText, type TextFile } from "../textFile.js";
import type { OpenContext } from "./openContext.js";
import { type ContextDeps, solvedTree } from "./solvedTree.js";
import { type Stdin, stdinFile } from "./stdinFile.js";
import { downloadStep, FILE } from "./steps.js";

/** A Dockerfile, and where it is: beside it may be an ignore file of its own. */
export interface FoundDockerfile {
  readonly text: TextFile;
  /** Absolute path; null for one that came alone. */
  readonly file: string | null;
}

/** The Dockerfile of a directory. @throws {TbuildError} not_found, permission_denied, invalid_argument */
export function dockerfileIn(context: OpenContext, given: string | undefined): FoundDockerfile {
  if (context.dockerfile !== null) return { text: context.dockerfile, file: null };
  const file = context.origin === "directory" ? dockerfilePath(context.path, given) : fetchedPath(context.path, given);
  return { text: readText(file, nameIn(context.path, file)), file };
}

/** `-f`: a path, `-` for standard input, or a URL. @throws {TbuildError} as {@link dockerfileIn}; unavailable */
export async function findDockerfile(context: OpenContext, given: string | undefined, stdin: Stdin, deps: ContextDeps): Promise<FoundDockerfile> {
  if (given === "-") {
    const dir = await stdinFile(deps.parts.store, stdin, "the Dockerfile", deps.signal);
    return { text: { ...readText(path.join(dir, FILE), "standard input"), name: "Dockerfile" }, file: null };
  }
  if (given !== undefined && /^https?:\/\//i.test(given)) {
    const shown = redacted(given).replace(/[?#].*$/s, "");
    await using tree = await solvedTree(deps, downloadStep(given, null, shown));
    return { text: { ...readText(path.join(tree.path, FILE), shown), name: path.posix.basename(shown) }, file: null };
  }
  return dockerfileIn(context, given);
}

/** `-f` is relative to what was fetched, and links in it do not lead out. */
function fetchedPath(root: string, given: string | undefined): string {
  const name = given ?? nameIn(root, dockerfilePath(root, undefined));
  const file = resolvedInRoot(root, name);
  if (file !== null) return file;
  throw new TbuildError("not_found", `Cannot read "${name}": no such file in the context`, { hint: "-f is relative to the context" });
}

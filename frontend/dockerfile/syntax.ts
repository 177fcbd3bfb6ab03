import { isTbuildError, TbuildError } from "../../cache/errors.js";
import type { FrontendOptions } from "../options.js";
import { detectSyntax, type SyntaxRequest } from "./directives.js";
import { decodeText } from "./linesPhysical.js";

/** Build argument that names the frontend whatever the file says. */
const ARGUMENT = "BUILDKIT_SYNTAX";

/** What BuildKit calls the frontend that is part of it. */
const BUILT_IN = "dockerfile.v0";

/** The frontend that a build argument or else the file itself asks for; null when neither does. */
export function requestedSyntax(text: string | Uint8Array, argument: string, file: string): SyntaxRequest | null {
  const cmdline = argument.trim();
  return cmdline === "" ? detectSyntax(decodeText(text), file) : { ref: cmdline.split(" ", 1)[0]!, cmdline, at: null };
}

/**
 * Refuses a file that asks for a frontend other than Docker's, which is the built-in one whatever its version.
 * @throws {TbuildError} unsupported
 */
export function refuseForeignSyntax(text: string | Uint8Array, { buildArgs, file, foreignSyntax }: FrontendOptions): void {
  if (foreignSyntax === "ignore") return;
  const asked = requestedSyntax(text, buildArgs.get(ARGUMENT) ?? "", file);
  const reference = asked?.ref ?? "";
  if (reference === "" || isBuiltIn(reference)) return;
  const message = `Cannot use frontend "${reference}": only Dockerfiles are read, by the built-in frontend`;
  const hint = `If this is a Dockerfile, read it as one with --build-arg ${ARGUMENT}=${BUILT_IN}`;
  const refusal = new TbuildError("unsupported", message, { at: asked?.at ?? undefined, hint });
  refusals.add(refusal);
  throw refusal;
}

const refusals = new WeakSet<TbuildError>();

/** True for the very error that {@link refuseForeignSyntax} throws: who can run frontends may go on. */
export function isForeignSyntax(error: unknown): error is TbuildError {
  return isTbuildError(error) && refusals.has(error);
}

/** `docker/dockerfile` and its variants by any registry, name and tag. */
function isBuiltIn(reference: string): boolean {
  const repository = reference.replace(/@.*$/, "").replace(/:[^/:]*$/, "");
  const name = repository.slice(repository.lastIndexOf("/") + 1);
  return reference === BUILT_IN || name === "dockerfile" || /(?:^|\/)docker\/dockerfile-upstream$/.test(repository);
}

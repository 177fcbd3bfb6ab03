import { TbuildError } from "../../../cache/errors.js";
import type { FrontendOpt } from "./frontendOpt.js";

const BUILT_IN = "dockerfile.v0";

/**
 * The image that a client's frontend is in; null is the built-in one, which is also what Docker's images of it are, from any
 * registry and of any version. @throws {TbuildError} unsupported, invalid_argument
 */
export function frontendImageName(frontend: string, opt: FrontendOpt): string | null {
  if (frontend === BUILT_IN) return null;
  if (frontend !== "gateway.v0") {
    throw new TbuildError("unsupported", `Cannot run the frontend "${frontend}": there are "${BUILT_IN}" and, for those in images, "gateway.v0"`);
  }
  const source = opt["source"] ?? "";
  if (source === "") throw new TbuildError("invalid_argument", 'Cannot run the frontend "gateway.v0": the option "source" does not name an image');
  return isBuiltIn(source) ? null : source;
}

/** True for the built-in frontend's own name and those of Docker's images. */
export function isBuiltIn(reference: string): boolean {
  const repository = reference.replace(/@.*$/, "").replace(/:[^/:]*$/, "");
  return reference === BUILT_IN || /(?:^|\/)docker\/dockerfile(?:-upstream)?$/.test(repository);
}

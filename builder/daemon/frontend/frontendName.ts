import { TbuildError } from "../../../cache/errors.js";
import { parseReference } from "../../../cache/oci/reference.js";
import type { FrontendsConfig } from "../../daemonConfig.js";
import type { FrontendOpt } from "./frontendOpt.js";

/** Name of the frontend for Dockerfiles that needs no image. */
export const BUILT_IN = "dockerfile.v0";
const IN_IMAGE = "gateway.v0";

/**
 * The image that a client's frontend is in; null is the built-in one, which is also what Docker's images of it are, from any
 * registry and of any version. @throws {TbuildError} unsupported, invalid_argument
 */
export function frontendImageName(frontend: string, opt: FrontendOpt, config: FrontendsConfig): string | null {
  if (frontend === BUILT_IN && config.dockerfile !== "off") return null;
  if (frontend !== IN_IMAGE) {
    const known = config.dockerfile !== "off" ? `there are "${BUILT_IN}" and, for those in images, "${IN_IMAGE}"` : "the daemon's configuration turns it off, or there is none";
    throw new TbuildError("unsupported", `Cannot run the frontend "${frontend}": ${known}`);
  }
  const source = opt["source"] ?? "";
  if (source === "") throw new TbuildError("invalid_argument", `Cannot run the frontend "${IN_IMAGE}": the option "source" does not name an image`);
  return isBuiltIn(source, config) ? null : source;
}

/** True for the built-in frontend's own name and those of Docker's images. */
export function isBuiltIn(reference: string, { dockerfile }: FrontendsConfig): boolean {
  const repository = reference.replace(/@.*$/, "").replace(/:[^/:]*$/, "");
  return dockerfile !== "off" && (reference === BUILT_IN || (dockerfile === "for-images" && /(?:^|\/)docker\/dockerfile(?:-upstream)?$/.test(repository)));
}

/** @throws {TbuildError} permission_denied when the daemon is not to run the frontend in this image; invalid_reference */
export function checkAllowed(image: string, { images, repositories }: FrontendsConfig): void {
  if (!images) throw new TbuildError("permission_denied", `Cannot run the frontend "${image}": the daemon's configuration turns frontends in images off`);
  if (repositories.length === 0 || repositories.some((name) => repositoryOf(name) === repositoryOf(image))) return;
  throw new TbuildError("permission_denied", `Cannot run the frontend "${image}": the daemon's configuration does not allow its repository`);
}

function repositoryOf(reference: string): string {
  const { registry, repository } = parseReference(reference);
  return `${registry}/${repository}`;
}

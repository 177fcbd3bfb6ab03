import type { Warning } from "../../solver/progress.js";

/** What a build says of a database that our scanner does not read. */
export function unreadDatabase(path: string): Warning {
  const detail = "Make the SBOM with a generator: --sbom=generator=IMAGE";
  return { rule: null, message: `The SBOM lacks the packages in ${path}: databases of rpm are not read`, detail, url: null, at: null };
}

import type { Store } from "../cache/store.js";
import type { AttestOptions } from "./attest/options.js";
import { checkEngine, warnOfEngine } from "./engine/exporter.js";
import type { Exporter } from "./exporter/exporter.js";
import { checkLocalDelete } from "./exporter/localDelete.js";
import { createExporter } from "./exporter/mod.js";
import { exportSpecs } from "./exportSpecs.js";
import { rootKind, targetPlatforms } from "./platforms.js";
import type { RemoteAccess } from "./remote.js";
import type { BuildRequest } from "./request.js";
import type { Warn } from "./warnOnce.js";

/** What {@link requestExporters} works with. */
export interface OutputDeps {
  readonly attest: AttestOptions;
  readonly remote: Pick<RemoteAccess, "refetch" | "push">;
  readonly warn: Warn;
  readonly signal: AbortSignal;
}

/**
 * One for each output of a request. What is wrong with outputs is told here, before anything runs.
 * @throws {TbuildError} usage, invalid_argument, unsupported, permission_denied, unavailable when there is no engine to load into
 */
export async function requestExporters(store: Store, request: BuildRequest, { attest, remote, warn, signal }: OutputDeps): Promise<readonly Exporter[]> {
  const specs = exportSpecs(request);
  checkLocalDelete(specs, request.allow ?? []);
  const attested = attest.provenance !== null || attest.sbom !== null;
  const shape = { platforms: targetPlatforms(request), root: rootKind(request), attested };
  const exporters = specs.map((spec) => createExporter(spec, { store, shape, refetch: remote.refetch, push: remote.push }));
  await checkEngine(specs, { signal });
  warnOfEngine(specs, attest, warn);
  return exporters;
}

import type { Opts } from "../cache/content/store.js";
import { hasCode, TbuildError } from "../cache/errors.js";
import { type ImageStore, isNamed } from "../cache/images.js";
import type { ImageManifestRecord, ImageRecord } from "../cache/meta/records.js";
import { hexOf } from "../cache/oci/digest.js";
import { hostPlatform, type Platform } from "../cache/oci/platform.js";
import type { ProcessResult, ProcessSpec, Stdio } from "./executor/executor.js";
import { mountStubs } from "./executor/stubs.js";
import { bringer, isAbsent } from "./image/absent.js";
import { internalStep, type Report } from "./internalStep.js";
import { failureHint } from "./ops/failureHint.js";
import { newName } from "./ops/snapshotStep.js";
import { throwAwayRoot } from "./ops/throwAwayRoot.js";
import type { RunRequest } from "./request.js";
import type { BuildParts } from "./run.js";
import { runSpec } from "./runSpec.js";
import { bestManifest, storedConfig } from "./source/imageStore.js";

/**
 * Runs a process in the foreground on an image of the image store. What it writes is thrown away with its root file system.
 * @throws {TbuildError} not_found for the image or its user; invalid_argument without a command; process_failed, with the exit
 * code that shells have for it, for a program that is missing or cannot be executed; unavailable, cancelled
 */
export async function runImage(parts: Pick<BuildParts, "store" | "executor" | "remote">, request: RunRequest, opts: Opts & Stdio): Promise<ProcessResult> {
  const { store, executor } = parts;
  const image = findImage(store.images, request.image, request.platform);
  if (image === null) throw new TbuildError("not_found", `Cannot run "${request.image}": no such image`, { hint: "Pull it, or build it with -t" });
  await bringImage(parts, image, () => {}, opts.signal ?? new AbortController().signal);
  const { config = {} } = await storedConfig(store.content, image.config);
  const id = newName();
  await using root = await throwAwayRoot(store, image.layers.at(-1)?.snapshot ?? null, id);
  const spec = runSpec(config, request, { id: `tbuild-${id}`, rootfs: root.path, hostname: id.slice(0, 12) });
  using _cwd = mountStubs(root.path, [{ dest: spec.cwd, kind: "directory" }]);
  const result = await executor.run(spec, opts);
  if (result.startError !== null) throw startFailure(spec, result, result.startError);
  return result;
}

/**
 * Fetches what of an image's files was left in its registry. @throws {TbuildError} not_found, unavailable, unauthorized,
 * digest_mismatch, corrupt
 */
export async function bringImage({ store, remote }: Pick<BuildParts, "store" | "remote">, image: ImageManifestRecord, report: Report, signal: AbortSignal): Promise<void> {
  const name = image.layers.at(-1)?.snapshot ?? null;
  if (name === null) return;
  await store.pin([name]);
  if (!(await isAbsent(store, image))) return;
  using access = remote({ pull: false });
  await internalStep(report, "fetching layers", signal, (opts) => bringer(store, access.refetch)([{ kind: "snapshot", name }], opts));
}

/**
 * The image that a run of this name or ID uses, for a platform or else as {@link RunRequest.platform} says; null when there is
 * none. @throws {TbuildError} invalid_reference, invalid_argument for an ID that several images begin with
 */
export function findImage(images: ImageStore, nameOrId: string, platform?: Platform): ImageManifestRecord | null {
  const record = resolved(images, nameOrId);
  if (record === null) return null;
  const ofId = isNamed(record, nameOrId) ? [] : record.manifests.filter(({ config }) => hexOf(config).startsWith(nameOrId.replace("sha256:", "")));
  const manifests = ofId.length > 0 ? ofId : record.manifests;
  return bestManifest(manifests, platform ?? hostPlatform()) ?? (platform === undefined ? (manifests[0] ?? null) : null);
}

function resolved(images: ImageStore, nameOrId: string): ImageRecord | null {
  try {
    return images.resolve(nameOrId);
  } catch (error) {
    if (hasCode(error, "not_found")) return null;
    throw error;
  }
}

function startFailure(spec: ProcessSpec, result: ProcessResult, reason: string): TbuildError {
  const { exitCode, signal, outOfMemory } = result;
  return new TbuildError("process_failed", `Cannot run "${spec.args[0]}": ${exitCode === 127 ? "no such program" : "it cannot be executed"}`, {
    hint: failureHint(spec, result, []) ?? reason,
    process: { argv: spec.args, exitCode, signal, outOfMemory, logTail: [] },
  });
}

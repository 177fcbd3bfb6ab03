import { PassThrough } from "node:stream";
import { hasCode, TbuildError } from "../../cache/errors.js";
import type { Opts } from "../../cache/content/store.js";
import type { Store } from "../../cache/store.js";
import type { AttestOptions } from "../attest/options.js";
import { readAttrs, readNames } from "../exporter/attrs.js";
import { refetcher, type ExporterDeps } from "../exporter/deps.js";
import type { Exporter, ExportOpts, ExportSpec } from "../exporter/exporter.js";
import { imageParts } from "../exporter/image.js";
import { isForEngine } from "../exportSpecs.js";
import { layerBlobs } from "../image/blobs.js";
import { writeTar } from "../image/destination.js";
import type { ImageParts } from "../image/packed.js";
import type { Warn } from "../warnOnce.js";
import { commonLayers, type EngineImage, writeEngineArchive } from "./archive.js";
import { type Engine, findEngine } from "./client.js";

/** Refuses what is for a Docker engine when none is running, before anything is built. @throws {TbuildError} unavailable */
export async function checkEngine(specs: readonly ExportSpec[], opts: Opts): Promise<void> {
  if (specs.some(isForEngine)) await (await neededEngine()).ping(opts);
}

/** Says what is asked for in vain. */
export function warnOfEngine(specs: readonly ExportSpec[], { provenance, sbom }: AttestOptions, warn: Warn): void {
  if (!specs.some(isForEngine) || (provenance === null && sbom === null)) return;
  const message = "Docker's engine takes no attestations: the image is loaded without them";
  warn([{ rule: null, message, detail: "Push it, or write it with type=oci", url: null, at: null }]);
}

async function neededEngine(): Promise<Engine> {
  const engine = await findEngine();
  if (engine !== null) return engine;
  throw new TbuildError("unavailable", "Cannot load the image into Docker: no engine is running", {
    hint: "Set DOCKER_HOST, or write a file that docker load reads: type=docker,dest=FILE",
  });
}

/**
 * `type=docker` without `dest`: loads the image into the running Docker engine, and sends only the layers that it lacks.
 * An engine that cannot do with those gets all of them.
 */
export function engineExporter(spec: ExportSpec, deps: ExporterDeps): Exporter {
  const attrs = readAttrs(spec);
  const names = readNames(attrs);
  if (attrs.annotations().length > 0) {
    throw new TbuildError("unsupported", "Cannot annotate an image of Docker's: it has no manifest", { hint: "Push it, or write it with type=oci" });
  }
  attrs.finish();
  if (deps.shape.root === "index") {
    throw new TbuildError("unsupported", "Cannot load several platforms into Docker", { hint: "Build one with --platform, or use type=oci" });
  }
  return {
    name: "loading into Docker",
    needs: { kind: "diff-ids" },
    readsFiles: false,
    async export(output, opts) {
      const parts = await imageParts(deps.store, output.platforms[0]!, "docker", opts);
      await load(await neededEngine(), { names, parts }, deps, opts);
      const { digest } = parts.config.descriptor;
      const named = names.length === 0 ? {} : { "image.name": names.join(",") };
      return { metadata: { "containerimage.config.digest": digest, "containerimage.digest": digest, ...named }, descriptor: null };
    },
  };
}

interface Loading {
  readonly names: readonly string[];
  readonly parts: ImageParts;
}

async function load(engine: Engine, image: Loading, deps: ExporterDeps, opts: ExportOpts): Promise<void> {
  const known = commonLayers(image.parts.layers.map(({ diffId }) => diffId), await engine.imageLayers(opts));
  try {
    await send(engine, image, known, deps, opts);
  } catch (error) {
    if (known === 0 || !hasCode(error, "unavailable")) throw error;
    await send(engine, image, 0, deps, opts);
  }
  const id = image.parts.config.descriptor.digest;
  if (!(await engine.hasImage(id, opts))) {
    throw new TbuildError("unavailable", `Cannot find image ${id} in the Docker engine at "${engine.host}" after it was loaded`);
  }
}

async function send(engine: Engine, { names, parts }: Loading, known: number, deps: ExporterDeps, opts: ExportOpts): Promise<void> {
  const { store } = deps;
  const layers = parts.layers.map(({ diffId }) => diffId);
  // Docker before version 23 reads no zstd.
  const packing = { compression: "none", avoid: "zstd", signal: opts.signal, refetch: refetcher(deps, opts) } as const;
  const blobs = await layerBlobs(store, parts.layers.slice(known), packing);
  const status = `sending ${blobs.length} of ${layers.length} layers to ${engine.host}`;
  opts.report.status(status, 0, blobs.reduce((sum, { size }) => sum + size, 0));
  await streamed(store, { names, config: parts.config, layers, blobs }, (archive) => engine.load(archive, opts), opts);
  opts.report.statusDone(status);
}

async function streamed(store: Store, image: EngineImage, to: (archive: PassThrough) => Promise<void>, opts: Opts): Promise<void> {
  const archive = new PassThrough();
  const writing = writeTar(archive, (sink) => writeEngineArchive(sink, store.content, image), opts).then(
    () => void archive.end(),
    (error: unknown) => void archive.destroy(error as Error),
  );
  await to(archive);
  await writing;
}

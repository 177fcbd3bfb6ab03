import { TbuildError } from "../cache/errors.js";
import type { Opts } from "../cache/content/store.js";
import { type Descriptor, type ImageConfig, type Manifest, mediaTypes } from "../cache/oci/descriptor.js";
import type { Digest } from "../cache/oci/digest.js";
import type { Platform } from "../cache/oci/platform.js";
import { familiarReference, formatReference, parseReference, type Reference, withDefaultTag } from "../cache/oci/reference.js";
import type { StepOpts } from "../solver/opRunner.js";
import type { Annotation } from "./image/annotations.js";
import { combine, type CombineOptions, type CombineSource } from "./image/combine.js";
import { type CopyAccess, type CopySource, copiesFor } from "./imageCopy.js";
import { internalStep, type Report } from "./internalStep.js";
import type { RegistryClient } from "./registry/client.js";
import { configLimit, parseImageConfig, parseManifest, type ParsedManifest } from "./registry/manifest.js";
import { putBlob, readBlob } from "./registry/resolve.js";
import type { BuildParts } from "./run.js";

/** One source of {@link CreateRequest}. */
export interface CreateSource {
  /** A reference, or "sha256:…" in the repository of the first name. */
  readonly name: string;
  /** What the index is to say of it, whatever its config does. */
  readonly platform?: Platform | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}

/** What `tbuild image create` does. */
export interface CreateRequest extends CombineOptions {
  /** Names that the index gets, in any registries; none with `dryRun` only. */
  readonly names: readonly string[];
  readonly sources: readonly CreateSource[];
  /** Add to what the first name stands for. */
  readonly append: boolean;
  /** Make the index and write nothing. */
  readonly dryRun: boolean;
  readonly annotations: readonly Annotation[];
}

/** A manifest or index that was made. */
export interface CreatedImage {
  /** Full references that it has got. */
  readonly names: readonly string[];
  readonly digest: Digest;
  readonly bytes: Buffer;
}

/** What a name stands for in its registry. */
export interface RemoteDocument {
  /** With the digest. */
  readonly reference: Reference;
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
  readonly parsed: ParsedManifest;
}

type Source = RemoteDocument & CombineSource & CopySource;

/**
 * Makes an index of manifests and indexes that registries hold, and writes it under its names. What a repository lacks is mounted
 * from another one of its registry, or copied. @throws {TbuildError} invalid_argument, invalid_reference, not_found, unauthorized,
 * unavailable, digest_mismatch, corrupt
 */
export async function createImage(parts: Pick<BuildParts, "store" | "remote">, request: CreateRequest, report: Report, signal: AbortSignal): Promise<CreatedImage> {
  using access = parts.remote(true);
  const { content } = parts.store;
  const names = request.names.map((name) => placeOf(name));
  const own = { client: access.client, content };
  const sources: Source[] = [];
  for (const source of allSources(request, names)) {
    const step = `reading ${formatReference(source.reference)}`;
    sources.push(await internalStep(report, step, signal, (opts) => readSource(own, source, opts)));
  }
  const made = combine(sources, request);
  const created = { digest: made.descriptor.digest, bytes: made.bytes };
  if (request.dryRun) return { names: [], ...created };
  await putBlob(content, made.bytes, made.descriptor.digest, { signal });
  for (const name of names) {
    await internalStep(report, `pushing ${formatReference(name)}`, signal, async (opts) => access.push(await copiesFor(own, sources, made, name, opts), [name], opts));
  }
  return { names: names.map(formatReference), ...created };
}

/** What a name stands for in its registry. @throws {TbuildError} not_found, unauthorized, unavailable, corrupt */
export async function remoteDocument({ remote }: Pick<BuildParts, "remote">, name: string, opts: Opts): Promise<RemoteDocument> {
  using access = remote(true);
  return await readDocument(access.client, withDefaultTag(parseReference(name)), opts);
}

/** Config of an image of one platform. @throws {TbuildError} not_found, unsupported for something that is no container image */
export async function remoteConfig({ store, remote }: Pick<BuildParts, "store" | "remote">, reference: Reference, { config }: Manifest, opts: Opts): Promise<ImageConfig> {
  using access = remote(true);
  return await readConfig({ client: access.client, content: store.content }, reference, config, opts);
}

/** A name to write to. @throws {TbuildError} invalid_argument, invalid_reference */
function placeOf(name: string): Reference {
  const reference = withDefaultTag(parseReference(name));
  if (reference.digest === null) return reference;
  throw new TbuildError("invalid_argument", `Cannot create "${name}": a name with a digest is no place to push to`, { hint: "Give the name with a tag" });
}

interface NamedSource extends Omit<CreateSource, "name"> {
  readonly reference: Reference;
}

function allSources({ sources, append }: CreateRequest, [first]: readonly Reference[]): readonly NamedSource[] {
  const named = sources.map(({ name, ...rest }) => ({ ...rest, reference: sourceReference(name, first) }));
  return append && first !== undefined ? [{ reference: first }, ...named] : named;
}

function sourceReference(name: string, first: Reference | undefined): Reference {
  if (!/^sha256:[0-9a-f]{64}$/.test(name)) return withDefaultTag(parseReference(name));
  if (first !== undefined) return { ...first, tag: null, digest: name as Digest };
  throw new TbuildError("invalid_argument", `Cannot find "${name}": no repository is named`, { hint: "Write REPOSITORY@sha256:…, or name the image with -t" });
}

async function readSource(access: CopyAccess, { reference, platform, annotations }: NamedSource, opts: StepOpts): Promise<Source> {
  const found = await readDocument(access.client, reference, opts);
  await putBlob(access.content, found.bytes, found.descriptor.digest, opts);
  const shown = platform ?? (found.parsed.kind === "manifest" ? await platformOf(access, found.reference, found.parsed.manifest, opts) : undefined);
  const descriptor = { ...found.descriptor, ...(annotations === undefined ? {} : { annotations }), ...(shown === undefined ? {} : { platform: shown }) };
  return { ...found, descriptor };
}

async function readDocument(client: RegistryClient, reference: Reference, opts: Opts): Promise<RemoteDocument> {
  const { descriptor, bytes } = await client.manifest(reference, opts);
  const parsed = parseManifest(bytes, `the manifest of "${familiarReference(reference)}"`);
  return { reference: { ...reference, digest: descriptor.digest }, descriptor, bytes, parsed };
}

/** Undefined for an artifact, which has none. */
async function platformOf(access: CopyAccess, reference: Reference, { config }: Manifest, opts: Opts): Promise<Platform | undefined> {
  if (config.mediaType !== mediaTypes.ociConfig && config.mediaType !== mediaTypes.dockerConfig) return undefined;
  const { os, architecture, variant } = await readConfig(access, reference, config, opts);
  return { os, architecture, ...(variant === undefined || variant === "" ? {} : { variant }) };
}

async function readConfig({ client, content }: CopyAccess, reference: Reference, config: Descriptor, opts: Opts): Promise<ImageConfig> {
  await client.fetchBlob(reference, config, content, opts);
  return parseImageConfig(await readBlob(content, config.digest, configLimit), `the config of "${familiarReference(reference)}"`);
}

import { TbuildError } from "../../../cache/errors.js";
import type { Descriptor, Index } from "../../../cache/oci/descriptor.js";
import { parseDigest } from "../../../cache/oci/digest.js";
import { formatPlatform, type Platform } from "../../../cache/oci/platform.js";
import type { Reference } from "../../../cache/oci/reference.js";
import type { Store } from "../../../cache/store.js";
import type { StepOpts } from "../../../solver/opRunner.js";
import { readAttrs, readNames, readPackOptions } from "../../exporter/attrs.js";
import type { ExportSpec } from "../../exporter/exporter.js";
import { encodeDescriptor } from "../../exporter/image.js";
import { readPushAttrs } from "../../exporter/registryAttrs.js";
import { descriptor } from "../../image/canonical.js";
import { writeDestination, writeDirectory, writeTar } from "../../image/destination.js";
import { manifestLimit, parseManifest } from "../../registry/manifest.js";
import { putBlob, readBlob } from "../../registry/resolve.js";
import type { BuildParts } from "../../run.js";
import type { RemoteCaches } from "../remoteCaches.js";
import { type ExportMetadata, isLoaded, withoutDigest, writeTrees } from "../remoteOutputs.js";
import { loadTaken, writeTakenLayout } from "../takenImage.js";
import type { Share } from "./route.js";
import { mergeIndexes, platformName } from "./mergeIndexes.js";
import type { NodePart, SharedOutputs } from "./nodeOutputs.js";
import type { UpNode } from "./shares.js";

/** What came of one node. */
export interface BuiltPart extends NodePart {
  readonly share: Share<UpNode>;
  readonly caches: RemoteCaches;
  /** The node's answer. */
  readonly response: ExportMetadata;
}

/** What merging works with. */
export interface MergeDeps extends Pick<BuildParts, "remote"> {
  readonly store: Store;
  /** Of the whole, in the order asked for. */
  readonly platforms: readonly Platform[];
}

/**
 * Makes wholes of what several nodes have built, and writes them where they are wanted; returns the metadata that one node that builds
 * everything would give. @throws {TbuildError} unavailable, unauthorized, corrupt
 */
export async function mergeParts(deps: MergeDeps, outputs: SharedOutputs, parts: readonly BuiltPart[], opts: StepOpts): Promise<ExportMetadata> {
  const own: ExportMetadata = Object.assign({}, ...parts.map(({ response }) => withoutDigest(response)));
  const taken = outputs.taken.length === 0 ? {} : await mergeTaken(deps, outputs.taken, parts, opts);
  for (const [index, spec] of outputs.local.entries()) await writeTrees(spec, parts.flatMap(({ trees }) => trees[index]!.roots), deps.store, opts);
  const image = outputs.pushed === null ? taken : await mergePushed(deps, outputs.pushed, parts, opts);
  let metadata = { ...own, ...image };
  // One after the other: each adds to what the directories of caches have.
  for (const { caches } of parts) metadata = await caches.finish(metadata, opts);
  return metadata;
}

async function mergeTaken(deps: MergeDeps, specs: readonly ExportSpec[], parts: readonly BuiltPart[], opts: StepOpts): Promise<ExportMetadata> {
  const { store } = deps;
  const indexes = await Promise.all(parts.map(async ({ taken }) => await storedIndex(store, await taken.root())));
  const metadata: ExportMetadata[] = [];
  for (const spec of specs) {
    const root = await mergedRoot(deps, spec, indexes, opts);
    const whole = { root: async () => await Promise.resolve(root) };
    if (isLoaded(spec)) metadata.push(await loadTaken(store, whole, namesToKeep(spec), opts));
    else metadata.push(await writeLayoutTo(store, spec, whole, opts));
  }
  return metadata[0]!;
}

function namesToKeep(spec: ExportSpec): string {
  return readPushAttrs(readAttrs(spec), false).store ? (spec.attrs["name"] ?? "") : "";
}

async function writeLayoutTo(store: Store, spec: ExportSpec, whole: { root(): Promise<Descriptor> }, opts: StepOpts): Promise<ExportMetadata> {
  const attrs = readAttrs(spec);
  const dest = attrs.required("dest", "Write it as type=oci,dest=image.tar");
  const body = (sink: Parameters<typeof writeTakenLayout>[0]) => writeTakenLayout(sink, store, whole, spec);
  if (attrs.bool("tar", true)) await writeDestination(dest, process.stdout, (stream) => writeTar(stream, body, opts));
  else await writeDirectory(dest, body);
  return imageMetadata(await whole.root(), readNames(attrs));
}

function imageMetadata(root: Descriptor, names: readonly string[]): ExportMetadata {
  const named = names.length === 0 ? {} : { "image.name": names.join(",") };
  return { "containerimage.digest": root.digest, "containerimage.descriptor": encodeDescriptor(descriptor(root)), ...named };
}

/** Every repository has all parts already, and gets what they are parts of. */
async function mergePushed(deps: MergeDeps, spec: ExportSpec, parts: readonly BuiltPart[], opts: StepOpts): Promise<ExportMetadata> {
  const { insecure, names } = readPushAttrs(readAttrs(spec), true);
  using access = deps.remote({ pull: true });
  const [first] = names as readonly [Reference];
  const client = access.direct(first.registry, insecure);
  const indexes: Index[] = [];
  for (const { response, share } of parts) {
    const digest = response["containerimage.digest"];
    if (digest === undefined) throw new TbuildError("corrupt", `Cannot merge the image: "${share.node.name}" does not say what it has pushed`);
    const { bytes } = await client.manifest({ ...first, tag: null, digest: parseDigest(digest) }, opts);
    indexes.push(indexIn(bytes));
  }
  const root = await mergedRoot(deps, spec, indexes, opts);
  await access.push({ root, children: [], blobs: [] }, names, { insecure, signal: opts.signal, report: opts.report });
  return imageMetadata(root, readNames(readAttrs(spec)));
}

async function mergedRoot({ store, platforms }: MergeDeps, spec: ExportSpec, indexes: readonly Index[], opts: StepOpts): Promise<Descriptor> {
  const { flavour, annotations = [] } = readPackOptions(readAttrs(spec));
  const there = new Set(indexes.flatMap(({ manifests }) => manifests.flatMap(({ platform }) => (platform === undefined ? [] : [platformName(platform)]))));
  const missing = platforms.find((platform) => !there.has(platformName(platform)));
  if (missing !== undefined) throw new TbuildError("corrupt", `Cannot merge the image: no node has given one for ${formatPlatform(missing)}`);
  const whole = mergeIndexes(indexes, { platforms, annotations, flavour });
  await putBlob(store.content, whole.bytes, whole.descriptor.digest, opts);
  return whole.descriptor;
}

async function storedIndex({ content }: Store, { digest }: Descriptor): Promise<Index> {
  return indexIn(await readBlob(content, digest, manifestLimit));
}

function indexIn(bytes: Uint8Array): Index {
  const parsed = parseManifest(bytes, "the index of a node");
  if (parsed.kind === "index") return parsed.index;
  throw new TbuildError("corrupt", "Cannot merge the image: a node has made no index of its part");
}

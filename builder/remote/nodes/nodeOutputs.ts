import { TbuildError } from "../../../cache/errors.js";
import { formatPlatform, type Platform } from "../../../cache/oci/platform.js";
import { formatReference, parseReference } from "../../../cache/oci/reference.js";
import type { Store } from "../../../cache/store.js";
import type { TypeAndAttrs } from "../../api/common.js";
import { readAttrs, readNames } from "../../exporter/attrs.js";
import type { ExportSpec } from "../../exporter/exporter.js";
import { readPushAttrs } from "../../exporter/registryAttrs.js";
import { readTreeOptions } from "../../exporter/rootfs.js";
import { parseAnnotation } from "../../image/annotations.js";
import { newName } from "../../ops/snapshotStep.js";
import type { Asked } from "../remoteBuild.js";
import { isLoaded, ON_THE_WAY } from "../remoteOutputs.js";
import { type ReceivedTrees, treeReceiver } from "../session/outputFiles.js";
import { checkLayouts, type TakenBlobs, takenBlobs } from "../takenBlobs.js";

/** Outputs by how the parts of several nodes come together. */
export interface SharedOutputs {
  /** Images of the image store, and layouts: their blobs are brought here. */
  readonly taken: readonly ExportSpec[];
  /** What every node pushes by its digest; null when nothing is pushed. */
  readonly pushed: ExportSpec | null;
  /** Directories, in which each platform has one of its own. */
  readonly local: readonly ExportSpec[];
}

/** Sorts the outputs of a build. @throws {TbuildError} unsupported for those that the parts of several nodes make no whole of */
export function sharedOutputs(specs: readonly ExportSpec[]): SharedOutputs {
  const refused = specs.map((spec) => refusal(spec)).find((why) => why !== null);
  if (refused != null) throw severalNodes(...refused);
  const pushed = specs.filter(isPushed);
  if (pushed.length > 1) throw severalNodes("push the image in several forms", "Push them one after the other");
  const layouts = specs.filter(({ type }) => type === "oci");
  checkLayouts(layouts);
  return { taken: [...layouts, ...specs.filter(isLoaded)], pushed: pushed[0] ?? null, local: specs.filter(({ type }) => type === "local") };
}

function severalNodes(what: string, hint: string): TbuildError {
  return new TbuildError("unsupported", `Cannot ${what} that several nodes have built`, { hint });
}

/** What cannot be done, and what to do instead; null when it can. */
function refusal(spec: ExportSpec): readonly [what: string, hint: string] | null {
  const { type } = spec;
  if (type === "tar") return ["write a tar of files", "Use type=local, or build the platforms one after the other"];
  if (type === "local" && readTreeOptions(readAttrs(spec)).layout === "merged") return ["merge the files of platforms", "Leave platform-split=false out"];
  if (type !== "image" && type !== "registry") return null;
  const { push, byDigest } = readPushAttrs(readAttrs(spec), type === "registry");
  if (byDigest) return ["push an image by its digest", "Leave push-by-digest out: the index gets its names"];
  return push || isLoaded(spec) ? null : ["keep an image on the builder", "Push it, or load it"];
}

function isPushed(spec: ExportSpec): boolean {
  return (spec.type === "image" || spec.type === "registry") && !isLoaded(spec);
}

/** What one node is asked for, and where its part comes. */
export interface NodePart extends Pick<Asked, "exports" | "outputs"> {
  readonly taken: TakenBlobs;
  /** One for each of {@link SharedOutputs.local}. */
  readonly trees: readonly ReceivedTrees[];
}

/** Asks a node for its part of the outputs. */
export function partOfNode({ taken: wanted, pushed, local }: SharedOutputs, platforms: readonly Platform[], store: Store): NodePart {
  const taken = takenBlobs(store);
  const trees = local.map(() => treeReceiver(store, `received-${newName()}`));
  const own = (spec: ExportSpec) => ofPlatforms(spec.attrs, platforms);
  // The node's answer is of the last image: the one that is pushed.
  const images = [...wanted.slice(0, 1).map((spec) => takenExporter(own(spec), spec)), ...(pushed === null ? [] : [pushedExporter(own(pushed), pushed)])];
  const exporters = [...images, ...local.map((spec) => ({ type: "local", attrs: without(own(spec), ["dest"]) }))];
  const receivers = new Map(trees.map(({ receive }, index) => [images.length + index, receive] as const));
  return { taken, trees, exports: taken.writer, outputs: { exporters, receivers } };
}

function takenExporter(attrs: ExportSpec["attrs"], { type }: ExportSpec): TypeAndAttrs {
  return { type: "oci", attrs: { ...(type === "oci" ? without(attrs, ["name", "dest"]) : {}), ...ON_THE_WAY } };
}

/** A repository gets the part without a name: the names are for the whole. */
function pushedExporter(attrs: ExportSpec["attrs"], spec: ExportSpec): TypeAndAttrs {
  const repositories = new Set(readNames(readAttrs(spec)).map((name) => formatReference({ ...parseReference(name), tag: null })));
  const name = [...repositories].join(",");
  return { type: "image", attrs: { "oci-mediatypes": "true", ...attrs, name, push: "true", "push-by-digest": "true", "name-canonical": "true" } };
}

/** Annotations of indexes are for the whole, and those of platforms for who builds them. */
function ofPlatforms(attrs: ExportSpec["attrs"], platforms: readonly Platform[]): ExportSpec["attrs"] {
  const names = platforms.map(formatPlatform);
  return Object.fromEntries(
    Object.entries(attrs).filter(([key, value]) => {
      const annotation = parseAnnotation(key, value);
      if (annotation === null) return true;
      return !annotation.kind.startsWith("index") && (annotation.platform === null || names.includes(formatPlatform(annotation.platform)));
    }),
  );
}

function without(attrs: ExportSpec["attrs"], keys: readonly string[]): ExportSpec["attrs"] {
  return Object.fromEntries(Object.entries(attrs).filter(([key]) => !keys.includes(key)));
}

import { TbuildError } from "../../../cache/errors.js";
import type { ImageConfig } from "../../../cache/oci/descriptor.js";
import { formatPlatform, hostPlatform, type Platform, parsePlatform } from "../../../cache/oci/platform.js";
import { defaultCheck } from "../../../frontend/dockerfile/checks/options.js";
import { scratchImage } from "../../../frontend/dockerfile/configImage.js";
import { loadGraphs } from "../../../solver/graph.js";
import type { Definition } from "../../../solver/llb/definition.js";
import type { FrontendResultMessage } from "../../api/gateway.js";
import { givenEpoch } from "../../epoch.js";
import type { RootKind } from "../../image/packed.js";
import { layerChain } from "../../layerChain.js";
import type { PlatformPlan } from "../../plan.js";
import type { Planned } from "../frontend/dockerfile.js";
import type { RefTable } from "./refTable.js";

const CONFIG = "containerimage.config";
const BASE_CONFIG = "containerimage.base.config";
const PLATFORMS = "refs.platforms";
const EPOCH = "source.date.epoch";

/** What a frontend has planned, as its client hears of it. Source: BuildKit, frontend/dockerui/build.go. */
export function resultOf({ plans, root }: Planned, refs: RefTable): FrontendResultMessage {
  const ids = plans.map(({ platform }) => formatPlatform(platform));
  const metadata: Record<string, Uint8Array> = {
    [PLATFORMS]: json({ Platforms: plans.map(({ platform }, index) => ({ ID: ids[index], Platform: platform })) }),
  };
  for (const [index, { image, baseDiffIds, epoch }] of plans.entries()) {
    const suffix = root === "index" ? `/${ids[index]}` : "";
    metadata[`${CONFIG}${suffix}`] = json(image);
    if (epoch !== null) metadata[`${EPOCH}${suffix}`] = Buffer.from(String(epoch));
    if (baseDiffIds.length > 0) metadata[`${BASE_CONFIG}${suffix}`] = json({ ...image, rootfs: { type: "layers", diff_ids: baseDiffIds } });
  }
  const made = plans.map(({ definition }) => ({ id: refs.add(definition), def: definition }));
  const isIndex = root === "index";
  return {
    ...emptyResult,
    ref: isIndex ? null : made[0]!,
    refs: isIndex ? { refs: Object.fromEntries(made.map((ref, index) => [ids[index]!, ref])) } : null,
    metadata,
  };
}

/** A result of one graph, without metadata. */
export function refResult(definition: Definition, refs: RefTable): FrontendResultMessage {
  return { ...emptyResult, ref: { id: refs.add(definition), def: definition } };
}

/** A result that is an answer and no image. */
export function answerResult(metadata: Readonly<Record<string, string>>): FrontendResultMessage {
  return { ...emptyResult, metadata: Object.fromEntries(Object.entries(metadata).map(([key, value]) => [key, Buffer.from(value)])) };
}

const emptyResult: FrontendResultMessage = { refDeprecated: "", refsDeprecated: null, ref: null, refs: null, metadata: {}, attestations: {} };

/** What a frontend's result asks to be exported. @throws {TbuildError} invalid_argument, not_found */
export function plansOf(result: FrontendResultMessage, refs: RefTable): { readonly plans: readonly PlatformPlan[]; readonly root: RootKind } {
  const several = severalRefs(result);
  if (several === null) {
    const definition = refs.get(result.ref?.id ?? result.refDeprecated);
    const { platform } = platformsIn(result)[0] ?? { platform: null };
    return { plans: plans([{ definition, ...configs(result, "", platform) }]), root: "manifest" };
  }
  const known = new Map(platformsIn(result).map(({ id, platform }) => [id, platform]));
  // The references are in no order of their own.
  const order = [...known.keys()];
  const sorted = Object.entries(several).sort(([a], [b]) => order.indexOf(a) - order.indexOf(b));
  const parts = sorted.map(([id, ref]) => ({
    definition: refs.get(ref),
    ...configs(result, `/${id}`, known.get(id) ?? parsePlatform(id)),
  }));
  return { plans: plans(parts), root: "index" };
}

interface Part {
  readonly definition: Definition;
  readonly platform: Platform;
  readonly image: ImageConfig;
  readonly epoch: number | null;
  readonly baseDiffIds: ImageConfig["rootfs"]["diff_ids"];
}

function plans(parts: readonly Part[]): readonly PlatformPlan[] {
  const roots = loadGraphs(parts.map(({ definition }) => definition));
  return parts.map((part, index) => {
    const root = roots[index] ?? null;
    return { ...part, root, chain: layerChain(root), warnings: [], check: defaultCheck };
  });
}

function severalRefs({ refs, refsDeprecated }: FrontendResultMessage): Readonly<Record<string, string>> | null {
  if (refs !== null) return Object.fromEntries(Object.entries(refs.refs).map(([id, ref]) => [id, ref.id]));
  return refsDeprecated === null ? null : refsDeprecated.refs;
}

/** A result without a config is an image without settings. */
function configs(result: FrontendResultMessage, suffix: string, given: Platform | null): Omit<Part, "definition"> {
  const image = config(result, `${CONFIG}${suffix}`);
  const platform = given ?? (image === null ? hostPlatform() : platformOf(image));
  const base = config(result, `${BASE_CONFIG}${suffix}`);
  return {
    platform,
    image: { ...scratchImage(platform), ...image, rootfs: { type: "layers", diff_ids: [] } },
    epoch: givenEpoch(textIn(result, `${EPOCH}${suffix}`)),
    baseDiffIds: base?.rootfs.diff_ids ?? [],
  };
}

function platformOf({ os, architecture, variant, "os.version": version }: ImageConfig): Platform {
  const platform = parsePlatform([os, architecture, ...(variant ? [variant] : [])].join("/"));
  return version === undefined || version === "" ? platform : { ...platform, "os.version": version };
}

function config({ metadata }: FrontendResultMessage, key: string): ImageConfig | null {
  const bytes = metadata[key];
  if (bytes === undefined) return null;
  const image = parsed(bytes, key) as ImageConfig | null;
  if (image === null) throw refusedResult("invalid null image config for export");
  if (!image.os !== !image.architecture) throw refusedResult("invalid image config: os and architecture must be specified together");
  return image.os ? image : { ...image, ...hostPlatform() };
}

/** In BuildKit's words, which frontends' authors look for. */
function refusedResult(message: string): TbuildError {
  return new TbuildError("invalid_argument", message);
}

function textIn({ metadata }: FrontendResultMessage, key: string): string | undefined {
  const bytes = metadata[key];
  return bytes === undefined ? undefined : Buffer.from(bytes).toString("utf8");
}

function platformsIn({ metadata }: FrontendResultMessage): readonly { readonly id: string; readonly platform: Platform }[] {
  const bytes = metadata[PLATFORMS];
  if (bytes === undefined) return [];
  const { Platforms } = (parsed(bytes, PLATFORMS) ?? {}) as { readonly Platforms?: readonly { readonly ID: string; readonly Platform: Platform }[] | null };
  if (!Array.isArray(Platforms) || Platforms.length === 0) throw refusedResult("invalid empty platforms index for exporter");
  for (const { ID, Platform: platform } of Platforms) {
    if (!ID) throw refusedResult("invalid empty platform key for exporter");
    if (!platform?.os || !platform.architecture) throw refusedResult("invalid platform value");
  }
  return Platforms.map(({ ID, Platform: platform }) => ({ id: ID, platform }));
}

function parsed(bytes: Uint8Array, key: string): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch (cause) {
    throw new TbuildError("invalid_argument", `Cannot read "${key}" of the frontend's result: it is no JSON`, { cause });
  }
}

function json(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}

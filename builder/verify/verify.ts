import { existsSync } from "node:fs";
import path from "node:path";
import { TbuildError } from "../../cache/errors.js";
import { imageId } from "../../cache/images.js";
import { formatPlatform, hostPlatform, type Platform, samePlatform } from "../../cache/oci/platform.js";
import type { Store } from "../../cache/store.js";
import type { StepOpts } from "../../solver/opRunner.js";
import { runnablePlatforms } from "../daemon/emulated.js";
import { knownDigest } from "../image/stored.js";
import { internalStep, type Report } from "../internalStep.js";
import type { PolicyRule } from "../policy/policy.js";
import type { BuildRequest } from "../request.js";
import type { BuildParts } from "../run.js";
import { comparePlatform } from "./comparePlatform.js";
import type { ImageSide, OpenImage } from "./imageSide.js";
import { type ImagePlace, openImage } from "./openImage.js";
import { downloadRules, type PinnedImage, pinnedImages, pinRule } from "./pinned.js";
import { type ToldBuild, withDefaults } from "./provenanceDefaults.js";
import { rebuild } from "./rebuild.js";
import type { VerifyReport } from "./report.js";

/** What `tbuild verify` does. */
export interface VerifyRequest {
  /** A name or ID of the image store, an OCI archive or layout, or a name in a registry. */
  readonly image: string;
  readonly place: ImagePlace;
  /** What it should come from; its platforms are the ones to verify, by default all that can be built here. */
  readonly build: BuildRequest;
  /** "reuse": steps may come from the cache, which then proves nothing of them. */
  readonly cache: "none" | "reuse";
  /** Whether what its provenance says counts where the request says nothing. */
  readonly provenance: "believe" | "ignore";
  /** Differences of a layer, and of the config, that are told. */
  readonly maxDifferences: number;
  /** Times of files alone make no difference. */
  readonly ignoreTimes: boolean;
}

/**
 * Builds an image anew and compares, platform by platform. Nothing is exported.
 * @throws {TbuildError} what keeps the image from being read, or built
 */
export async function verifyImage(parts: BuildParts, request: VerifyRequest, report: Report, signal: AbortSignal): Promise<VerifyReport> {
  using access = parts.remote({ pull: request.place === "registry" });
  const reading = <T>(body: (opts: StepOpts) => Promise<T>) => internalStep(report, `reading ${request.image}`, signal, body);
  const { sides, skipped, told } = await reading(async (opts) => {
    const image = await openImage({ store: parts.store, access, opts }, request.image, request.place);
    const chosen = choosePlatforms(image, request);
    const opened = await Promise.all(chosen.verified.map((platform) => image.open(platform)));
    return { sides: opened, skipped: chosen.skipped, told: request.provenance === "believe" ? await firstTold(opened) : null };
  });
  const asked = await rebuildRequest(parts.store, request, sides, told);
  const rewritten = new Map(sides.map((side) => [formatPlatform(side.platform), side.rewritten]));
  const results = await rebuild(parts, asked.request, rewritten, report, signal);
  const compare = { ...request, store: parts.store, access, notes: asked.notes };
  const platforms = await internalStep(report, "comparing", signal, (opts) =>
    Promise.all(sides.map((side, index) => comparePlatform({ ...compare, opts }, side, results[index]!))),
  );
  return { image: request.image, same: platforms.every(({ same }) => same), platforms, skipped };
}

interface Chosen {
  readonly verified: readonly Platform[];
  readonly skipped: readonly string[];
}

/** Those asked for, else all of the image that can be built here; the only one in any case. */
function choosePlatforms({ platforms }: OpenImage, { image, build }: VerifyRequest): Chosen {
  const asked = build.platforms ?? [];
  if (asked.length > 0) return { verified: asked, skipped: [] };
  if (platforms.length === 1) return { verified: platforms, skipped: [] };
  const runnable = runnablePlatforms();
  const isRunnable = (platform: Platform) => runnable.some((one) => samePlatform(one, platform));
  const verified = platforms.filter(isRunnable);
  if (verified.length === 0) {
    const hint = `It has ${platforms.map(formatPlatform).join(", ") || "no platform"}; --platform builds for one in spite of it`;
    throw new TbuildError("not_found", `Cannot verify "${image}": nothing of it runs on ${formatPlatform(hostPlatform())}`, { hint });
  }
  return { verified, skipped: platforms.filter((platform) => !isRunnable(platform)).map(formatPlatform) };
}

async function firstTold(sides: readonly ImageSide[]): Promise<ToldBuild | null> {
  for (const side of sides) {
    const told = await side.provenance();
    if (told !== null) return told;
  }
  return null;
}

async function rebuildRequest(store: Store, { build, cache }: VerifyRequest, sides: readonly ImageSide[], told: ToldBuild | null) {
  const { request, notes } = told === null ? { request: build, notes: [] } : withDefaults(build, told);
  // A lock is the user's own word for what names stood for.
  const pins = told === null || build.lock !== undefined ? { rules: [], notes: [] } : await pinsFor(store, told);
  const epoch = epochOf(request, sides[0]!);
  const dockerfile = dockerfileOf(build, told);
  const file = dockerfile === build.dockerfile || told?.dockerfile === "Dockerfile" ? [] : [`From its provenance: --file ${dockerfile}`];
  const rewritten = sides.some((side) => side.rewritten !== null) ? ["Times in its layers were rewritten, and are here"] : [];
  return {
    request: {
      ...request,
      dockerfile,
      ...epoch.request,
      platforms: sides.map(({ platform }) => platform),
      noCache: cache === "none",
      sourcePolicies: [...(request.sourcePolicies ?? []), ...(pins.rules.length === 0 ? [] : [{ rules: pins.rules }])],
    },
    notes: [...epoch.notes, ...file, ...notes, ...pins.notes, ...rewritten],
  };
}

/** The image's own time, unless somebody has said one. A fraction is no epoch: then it is that of a base image, or the clock's. */
function epochOf({ buildArgs = {} }: BuildRequest, { config: { created = "" } }: ImageSide): { readonly request: Partial<BuildRequest>; readonly notes: readonly string[] } {
  const given = buildArgs["SOURCE_DATE_EPOCH"] ?? process.env["SOURCE_DATE_EPOCH"] ?? "";
  if (given !== "") return { request: {}, notes: [`SOURCE_DATE_EPOCH is ${given}`] };
  const seconds = Date.parse(created) / 1000;
  if (Number.isNaN(seconds)) return { request: { epoch: null }, notes: [] };
  const epoch = Number.isInteger(seconds) && !/\.0*[1-9]/.test(created) ? seconds : null;
  return { request: { epoch }, notes: epoch === null ? [] : [`Built under its own time: ${created}`] };
}

/** What provenance calls the Dockerfile counts where there is such a file in the context. */
function dockerfileOf({ context, dockerfile }: BuildRequest, told: ToldBuild | null): string | undefined {
  if (dockerfile !== undefined || told === null || told.dockerfile === null || !existsSync(context)) return dockerfile;
  const file = path.join(context, path.join("/", told.dockerfile));
  return existsSync(file) ? file : undefined;
}

/** What materials of a build come to today. */
interface Pins {
  readonly rules: readonly PolicyRule[];
  readonly notes: readonly string[];
}

/** Images that have moved since are read as they were; what the image store still has is taken as it is. */
async function pinsFor(store: Store, { materials }: ToldBuild): Promise<Pins> {
  const images = await Promise.all(pinnedImages(materials).map((pinned) => pinFor(store, pinned)));
  return { rules: [...downloadRules(materials), ...images.flatMap(({ rules }) => rules)], notes: images.flatMap(({ notes }) => notes) };
}

async function pinFor(store: Store, pinned: PinnedImage): Promise<Pins> {
  const { name, digest } = pinned;
  const record = store.images.get(name);
  if (record !== null && (imageId(record) === digest || (await knownDigest(store, record)) === digest)) return { rules: [], notes: [] };
  // The digest of a config: no registry has the image by that.
  const isOfStore = name.startsWith("localhost/") || store.images.byId(digest).length > 0;
  if (isOfStore) return { rules: [], notes: [`Its base ${name} was ${digest}, and is another image now`] };
  return { rules: [pinRule(pinned)], notes: [`From its provenance: ${name} is ${digest}`] };
}

import { hostPlatform, type Platform } from "../../cache/oci/platform.js";
import type { Store } from "../../cache/store.js";
import type { Definition } from "../../solver/llb/definition.js";
import type { Output } from "../../solver/llb/state.js";
import type { StepOpts } from "../../solver/opRunner.js";
import { type Attestation, SPDX } from "../attest/attestation.js";
import type { SbomOptions } from "../attest/options.js";
import { unbundle } from "../attest/unbundle.js";
import { internalStep, type Report } from "../internalStep.js";
import type { BringHere } from "../image/absent.js";
import type { SnapshotRef } from "../ops/opDeps.js";
import { openTree, type ReadTree } from "../ops/trees.js";
import type { RemoteAccess } from "../remote.js";
import { CORE, generatorGraph } from "./generator.js";
import { scanTree } from "./scanTree.js";
import { spdxDocument } from "./spdx.js";

/** What SBOMs are made with. */
export interface SbomDeps {
  readonly store: Store;
  readonly remote: Pick<RemoteAccess, "resolveImage">;
  readonly report: Report;
  readonly signal: AbortSignal;
  readonly bringHere: BringHere;
  /** Runs a graph and opens its result. */
  open(definition: Definition): Promise<ReadTree>;
  /** Hears of databases that our scanner does not read, each by its path. */
  readonly notRead: (path: string) => void;
}

/** One platform's result. */
export interface SbomTarget {
  /** For the names of steps. */
  readonly shown: string;
  readonly ref: SnapshotRef;
  /** The graph of it; null is the empty tree. */
  readonly tree: Output | null;
  /** Stages, and the context, that are to be looked into besides, by name. */
  readonly extras: ReadonlyMap<string, Output | null>;
  /** Graphs of `extras`. */
  readonly graphOf: (tree: Output | null) => Definition;
  /** Seconds since the epoch. */
  readonly created: number;
}

/** The SBOMs of a result: by a generator image, or by our own scanner. @throws {TbuildError} as building and fetching do; corrupt */
export async function sbomAttestations(deps: SbomDeps, { generator, params }: SbomOptions, target: SbomTarget): Promise<readonly Attestation[]> {
  if (generator !== null) return await generated(deps, generator, params, target);
  const openResult = async (opts: StepOpts) => {
    await deps.bringHere([target.ref], opts);
    return await openTree(deps.store, target.ref);
  };
  const made = [await scanned(deps, target, CORE, openResult)];
  for (const [name, tree] of target.extras) made.push(await scanned(deps, target, `${CORE}-${name}`, () => deps.open(target.graphOf(tree))));
  return made;
}

async function scanned({ store, report, signal, notRead }: SbomDeps, { shown, created }: SbomTarget, name: string, open: (opts: StepOpts) => Promise<ReadTree>): Promise<Attestation> {
  const step = `[${shown}] generating ${name}`;
  const document = await internalStep(report, step, signal, async (opts) => {
    await using tree = await open(opts);
    const scan = await scanTree(store, tree.path, opts);
    for (const path of scan.notRead) notRead(path);
    return spdxDocument(scan, { name, created });
  });
  const bytes = Buffer.from(JSON.stringify(document));
  return { predicateType: SPDX, path: `${name}.spdx.json`, inlineOnly: false, subjects: [], sbomCore: CORE, content: async () => Promise.resolve(bytes) };
}

async function generated(deps: SbomDeps, name: string, params: SbomOptions["params"], { shown, tree, extras }: SbomTarget): Promise<readonly Attestation[]> {
  const platform = hostPlatform();
  const { reference, config } = await resolved(deps, name, platform);
  const graph = generatorGraph({ reference, platform, config, params }, shown, tree, extras);
  await using written = await deps.open(graph);
  return unbundle(written.path, "/", { predicateType: SPDX, inlineOnly: false, sbomCore: CORE });
}

async function resolved({ remote, report, signal }: SbomDeps, name: string, platform: Platform) {
  const image = await internalStep(report, `resolve image config for docker-image://${name}`, signal, (opts: StepOpts) => remote.resolveImage(name, platform, opts));
  return { reference: image.digest === null ? image.reference : `${image.reference}@${image.digest}`, config: image.config.config ?? {} };
}

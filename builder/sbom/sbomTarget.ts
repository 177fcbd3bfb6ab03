import { formatPlatform } from "../../cache/oci/platform.js";
import type { ScanTarget } from "../../frontend/dockerfile/scans.js";
import { marshal } from "../../solver/llb/marshal.js";
import type { Node, Output } from "../../solver/llb/state.js";
import { treeOf } from "../daemon/client/definitionTree.js";
import type { SnapshotRef } from "../ops/opDeps.js";
import type { PlatformPlan } from "../plan.js";
import type { SbomTarget } from "./sbomAttestations.js";

/** What an SBOM of one platform's result is made of. It is as old as the build says, else as its image. */
export function sbomTarget({ platform, definition, image, epoch }: PlatformPlan, ref: SnapshotRef, scans: readonly ScanTarget[], buildEpoch: number | null): SbomTarget {
  const imageTime = Math.floor(Date.parse(image.created ?? "") / 1000);
  return {
    shown: formatPlatform(platform),
    ref,
    tree: builtTree(treeOf(definition)),
    extras: new Map(scans.map(({ name, root }) => [name, builtTree(root)])),
    graphOf: (tree) => marshal(tree, []),
    created: buildEpoch ?? epoch ?? (Number.isNaN(imageTime) ? 0 : imageTime),
  };
}

/** The tree without places in the Dockerfile, and with steps that may come from the cache: they have run for this build already. */
function builtTree(tree: Output | null): Output | null {
  const known = new Map<Node, Node>();
  const of = ({ node, index }: Output): Output => {
    const made = known.get(node) ?? { ...node, at: [], inputs: node.inputs.map(of), metadata: { ...node.metadata, ignoreCache: false } };
    known.set(node, made);
    return { node: made, index };
  };
  return tree === null ? null : of(tree);
}

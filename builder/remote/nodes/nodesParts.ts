import type { BuildRequest } from "../../request.js";
import type { BuildParts } from "../../run.js";
import { builderPlace } from "../place.js";
import type { RemoteParts } from "../remoteOffers.js";
import type { BuilderNode } from "./node.js";

/** What builds elsewhere are made of. */
export interface NodesParts extends Omit<RemoteParts, "place">, Pick<BuildParts, "remote"> {
  /** At least one. */
  readonly nodes: readonly BuilderNode[];
}

/** A build, and its name in histories. */
export interface NamedBuild {
  readonly request: BuildRequest;
  readonly ref: string;
}

/** The parts of a build on one node. @throws {TbuildError} not_found for its certificates */
export function partsOf({ store, registries }: NodesParts, { address, tls }: BuilderNode): RemoteParts {
  return { store, registries, place: builderPlace(address, tls) };
}

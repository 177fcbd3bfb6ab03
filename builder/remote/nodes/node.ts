import { TbuildError } from "../../../cache/errors.js";
import type { Platform } from "../../../cache/oci/platform.js";
import { parseBuilderAddress } from "../address.js";
import { builderPlace } from "../place.js";
import type { TlsFiles } from "../tlsFiles.js";

/** One of several machines that build together, as the user gives it. */
export interface NodeConfig {
  /** What steps and messages call it; default "node0", "node1" … by its place. */
  readonly name?: string | undefined;
  /** Where tbuildd or buildkitd listens. */
  readonly address: string;
  /** Certificates for the address. */
  readonly tls?: TlsFiles | undefined;
  /** Platforms that are to be built there first of all, whatever the node says that it runs. */
  readonly platforms?: readonly Platform[] | undefined;
}

/** A {@link NodeConfig} with everything said. */
export interface BuilderNode {
  readonly name: string;
  readonly address: string;
  readonly tls: TlsFiles;
  readonly pinned: readonly Platform[];
}

/**
 * The nodes of a builder. Nobody is asked yet. @throws {TbuildError} usage for a bad address, invalid_argument for a name given twice,
 * not_found for certificates of a node that is the only one: of several, one may fail to be reached
 */
export function builderNodes(configs: readonly NodeConfig[]): readonly BuilderNode[] {
  const nodes = configs.map(({ name, address, tls = {}, platforms = [] }, index) => ({ name: name ?? `node${index}`, address, tls, pinned: platforms }));
  for (const [index, { name, address }] of nodes.entries()) {
    parseBuilderAddress(address);
    const other = nodes.slice(0, index).find((one) => one.name === name);
    if (other !== undefined) throw new TbuildError("invalid_argument", `Cannot build on "${address}": "${other.address}" is called "${name}" as well`);
  }
  const [only, another] = nodes;
  if (only !== undefined && another === undefined) builderPlace(only.address, only.tls);
  return nodes;
}

import type { NodeConfig } from "../../builder/remote/nodes/node.js";
import type { BuilderConfig } from "../../builder/request.js";
import { TbuildError } from "../../cache/errors.js";
import { parsePlatform } from "../../cache/oci/platform.js";
import type { BuilderArgs } from "../args/values.js";
import { usage } from "../usage.js";
import { type BuilderDefinition, DEFAULT_BUILDER, type DefinedNode, readDefinition, usedName } from "./definitions.js";

/**
 * Where a command line's builds run, for `createBuilder`: on an address, on the nodes of a builder, or in this process.
 * @throws {TbuildError} usage, not_found, parse_failed
 */
export function chosenBuilder(args: BuilderArgs): Pick<BuilderConfig, "address" | "tls" | "nodes"> {
  const { builder = usedName() ?? DEFAULT_BUILDER, tls } = args;
  if (builder.includes("://")) return { address: builder, tls };
  if (args.builder !== undefined && Object.values(tls).some((file) => file !== undefined)) {
    const hint = "They are for an address; a builder has them from `tbuild builder create`";
    throw usage(`Cannot use --tlscacert and its like with the builder "${builder}"`, hint);
  }
  if (builder === DEFAULT_BUILDER) return {};
  return { nodes: nodesNamed(builder).map(configOf) };
}

/** The nodes of what {@link chosenBuilder} says; none is this process. @throws {TbuildError} as chosenBuilder */
export function chosenNodes(args: BuilderArgs): readonly NodeConfig[] {
  const { address, tls, nodes = [] } = chosenBuilder(args);
  return address === undefined ? nodes : [{ address, tls }];
}

/** As the library takes it. */
export function configOf({ name, address, tls, platforms }: DefinedNode): NodeConfig {
  return { name, address, tls, platforms: platforms.map((platform) => parsePlatform(platform)) };
}

/** @throws {TbuildError} not_found, parse_failed */
export function definitionNamed(name: string): BuilderDefinition {
  const definition = readDefinition(name);
  if (definition !== null) return definition;
  throw new TbuildError("not_found", `Cannot use the builder "${name}": there is none of that name`, {
    hint: "tbuild builder ls lists them; an address begins with unix://, tcp://, ssh:// or docker-container://",
  });
}

/** NAME is all nodes of a builder, NAME/NODE one of them. */
function nodesNamed(text: string): readonly DefinedNode[] {
  const [name = "", ...rest] = text.split("/");
  const { nodes } = definitionNamed(name);
  if (rest.length === 0) return nodes;
  const node = nodes.find((one) => one.name === rest.join("/"));
  if (node !== undefined) return [node];
  const hint = `It has ${nodes.map((one) => one.name).join(", ")}`;
  throw new TbuildError("not_found", `Cannot use "${text}": the builder "${name}" has no such node`, { hint });
}

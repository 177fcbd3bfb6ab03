import type { NodeConfig } from "../../builder/remote/nodes/node.js";
import type { BuilderConfig } from "../../builder/request.js";
import { TbuildError } from "../../cache/errors.js";
import { parsePlatform } from "../../cache/oci/platform.js";
import type { BuilderArgs } from "../args/values.js";
import { usage } from "../usage.js";
import { type BuilderDefinition, DEFAULT_BUILDER, type DefinedNode, readDefinition, usedName } from "./definitions.js";

/** Where a command line's builds run, for `createBuilder`: on an address, on the nodes of a builder, or in this process. @throws {TbuildError} usage, not_found, parse_failed */
export function chosenBuilder(args: BuilderArgs): Pick<BuilderConfig, "address" | "tls" | "nodes"> {
  const { builder = usedName() ?? DEFAULT_BUILDER, tls } = args;
  if (builder.includes("://")) return { address: builder, tls };
  if (args.builder !== undefined && Object.values(tls).some((file) => file !== undefined)) {
    throw usage(`Cannot use --tlscacert and its like with the builder "${builder}"`, "They are for an address; a builder has them from `tbuild builder create`");
  }
  if (builder === DEFAULT_BUILDER) return {};
  return { nodes: nodesNamed(builder).map(configOf) };
}

/** The only node of what {@link chosenBuilder} says; null for this process. @throws {TbuildError} as chosenBuilder; usage for a builder of several */
export function chosenNode(args: BuilderArgs): NodeConfig | null {
  const { address, tls, nodes = [] } = chosenBuilder(args);
  if (address !== undefined) return { address, tls };
  if (nodes.length < 2) return nodes[0] ?? null;
  const builder = args.builder ?? usedName() ?? "";
  throw usage(`The builder "${builder}" has several nodes, each with builds of its own`, `Name one: ${nodes.map(({ name }) => `--builder ${builder}/${name}`).join(", ")}`);
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
  throw new TbuildError("not_found", `Cannot use "${text}": the builder "${name}" has no such node`, { hint: `It has ${nodes.map((one) => one.name).join(", ")}` });
}

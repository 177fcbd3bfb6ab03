import { parseBuilderAddress } from "../../builder/remote/address.js";
import { readTlsFiles } from "../../builder/remote/tlsFiles.js";
import { TbuildError } from "../../cache/errors.js";
import { formatPlatform, parsePlatform } from "../../cache/oci/platform.js";
import type { BuilderCreateArgs } from "../args/builder.js";
import { definitionNamed } from "./choose.js";
import { type BuilderDefinition, checkName, DEFAULT_BUILDER, type DefinedNode, readDefinition } from "./definitions.js";

/** The builder that `tbuild builder create` makes, or makes of one that is there. @throws {TbuildError} usage, already_exists, not_found, invalid_argument */
export function changedDefinition(args: BuilderCreateArgs): BuilderDefinition {
  const { name, mode } = args;
  checkName(name, "builder");
  if (name === DEFAULT_BUILDER) throw new TbuildError("invalid_argument", `Cannot create "${name}": that is what builds in this process`);
  if (mode === "new") return created(args);
  const { nodes } = definitionNamed(name);
  return { name, nodes: mode === "leave" ? withoutNode(nodes, args) : withNode(nodes, args) };
}

function created(args: BuilderCreateArgs): BuilderDefinition {
  const { name } = args;
  if (readDefinition(name) === null) return { name, nodes: [nodeOf(args, `${name}0`)] };
  throw new TbuildError("already_exists", `Cannot create the builder "${name}": there is one of that name`, {
    hint: `Add a node to it with --append, or remove it first: tbuild builder rm ${name}`,
  });
}

/** A node of a name that is there takes its place. */
function withNode(nodes: readonly DefinedNode[], args: BuilderCreateArgs): readonly DefinedNode[] {
  const names = new Set(nodes.map(({ name }) => name));
  const free = Array.from({ length: nodes.length + 1 }, (_, index) => `${args.name}${index}`).find((name) => !names.has(name))!;
  const node = nodeOf(args, free);
  const others = nodes.filter(({ name }) => name !== node.name);
  const same = others.find(({ address }) => address === node.address);
  if (same !== undefined) {
    throw new TbuildError("already_exists", `Cannot add "${node.address}" to the builder "${args.name}": it is its node "${same.name}" already`);
  }
  return others.length === nodes.length ? [...nodes, node] : nodes.map((one) => (one.name === node.name ? node : one));
}

function withoutNode(nodes: readonly DefinedNode[], { name, node }: BuilderCreateArgs): readonly DefinedNode[] {
  const others = nodes.filter((one) => one.name !== node);
  const what = `Cannot take "${node}" from the builder "${name}"`;
  if (others.length === nodes.length) {
    throw new TbuildError("not_found", `${what}: it has no such node`, { hint: `It has ${nodes.map((one) => one.name).join(", ")}` });
  }
  if (others.length > 0) return others;
  throw new TbuildError("invalid_argument", `${what}: it is its only node`, { hint: `Remove the builder: tbuild builder rm ${name}` });
}

/** What cannot be used is refused now, and not by the first build. */
function nodeOf({ node, address = "", platforms, tls }: BuilderCreateArgs, fallback: string): DefinedNode {
  const name = node ?? fallback;
  checkName(name, "node");
  parseBuilderAddress(address);
  readTlsFiles(tls);
  return { name, address, platforms: platforms.map((platform) => formatPlatform(parsePlatform(platform))), tls };
}

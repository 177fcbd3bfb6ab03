import { runnablePlatforms } from "../../builder/daemon/emulated.js";
import { builderNodes } from "../../builder/remote/nodes/node.js";
import { type NodeState, probeNodes } from "../../builder/remote/nodes/probe.js";
import type { Opts } from "../../cache/content/store.js";
import { TbuildError } from "../../cache/errors.js";
import type { BuilderCommandArgs, BuilderCreateArgs } from "../args/builder.js";
import { changedDefinition } from "../builders/change.js";
import { configOf, definitionNamed } from "../builders/choose.js";
import { type BuilderDefinition, DEFAULT_BUILDER, listDefinitions, readDefinition, removeDefinition, use, usedName, writeDefinition } from "../builders/definitions.js";
import { builderJson, builderTable, inspected, type ShownBuilder } from "../builders/show.js";

/** `tbuild builder`: returns what goes to stdout. @throws {TbuildError} usage, not_found, already_exists, invalid_argument, parse_failed */
export async function builderCommand(args: BuilderCommandArgs, opts: Opts): Promise<string> {
  switch (args.verb) {
    case "create":
      return create(args);
    case "ls": {
      const builders = await Promise.all([...listDefinitions(), null].map((definition) => shown(definition, opts)));
      return args.format === "json" ? builders.map((one) => `${JSON.stringify(builderJson(one))}\n`).join("") : builderTable(builders);
    }
    case "use":
      use(args.name === DEFAULT_BUILDER ? null : definitionNamed(args.name).name);
      return `Using ${args.name}\n`;
    case "inspect": {
      const builder = await shown(definitionOf(args.name ?? current()), opts);
      return args.format === "json" ? `${JSON.stringify(builderJson(builder), null, 2)}\n` : inspected(builder);
    }
    case "rm":
      return remove(args.names);
  }
}

function create(args: BuilderCreateArgs): string {
  writeDefinition(changedDefinition(args));
  if (args.use) use(args.name);
  return `${args.name}\n`;
}

/** All or none. */
function remove(names: readonly string[]): string {
  const absent = names.find((name) => readDefinition(name) === null);
  if (absent !== undefined) throw new TbuildError("not_found", `Cannot remove the builder "${absent}": there is none of that name`, { hint: "tbuild builder ls lists them" });
  const used = usedName();
  for (const name of names) removeDefinition(name);
  const after = used !== null && names.includes(used) ? "Builds run in this process now\n" : "";
  return `${names.map((name) => `Removed: ${name}\n`).join("")}${after}`;
}

/** The builder of command lines that name none. */
function current(): string {
  return process.env["TBUILD_HOST"] || usedName() || DEFAULT_BUILDER;
}

/** An address is a builder of one node; null is this process. @throws {TbuildError} not_found, parse_failed */
function definitionOf(name: string): BuilderDefinition | null {
  if (name.includes("://")) return { name, nodes: [{ name: "node0", address: name, platforms: [], tls: {} }] };
  return name === DEFAULT_BUILDER ? null : definitionNamed(name);
}

/** Null is this process. */
async function shown(definition: BuilderDefinition | null, opts: Opts): Promise<ShownBuilder> {
  const name = definition?.name ?? DEFAULT_BUILDER;
  const nodes: readonly NodeState[] = definition === null ? [] : await probeNodes(builderNodes(definition.nodes.map(configOf)), opts);
  return { name, current: name === current(), nodes, ...(definition === null ? { own: { platforms: runnablePlatforms() } } : {}) };
}

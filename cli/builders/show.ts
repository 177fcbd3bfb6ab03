import { announcedPlatforms, type NodeState } from "../../builder/remote/nodes/probe.js";
import type { WorkerRecord } from "../../builder/api/worker.js";
import { formatBytes } from "../../cache/formatBytes.js";
import { formatPlatform, type Platform } from "../../cache/oci/platform.js";
import { printable } from "../progress/format.js";
import { formatTable } from "../table.js";

/** A builder, and what its nodes say. */
export interface ShownBuilder {
  readonly name: string;
  readonly current: boolean;
  readonly nodes: readonly NodeState[];
  /** Of this process, when it is what builds. */
  readonly own?: { readonly platforms: readonly Platform[] };
}

/** Platforms that the table has room for. */
const MAX_PLATFORMS = 4;

/** One line for a builder, and one for each of its nodes; below them why some do not answer. */
export function builderTable(builders: readonly ShownBuilder[]): string {
  const table = formatTable(["NAME/NODE", "ADDRESS", "STATUS", "VERSION", "PLATFORMS"], builders.flatMap(rowsOf));
  const why = builders.flatMap(({ name, nodes }) =>
    nodes.flatMap((state) => (state.kind === "down" ? [`${name}/${state.node.name} does not answer: ${printable(state.why)}\n`] : [])),
  );
  return [table, ...(why.length === 0 ? [] : ["\n", ...why])].join("");
}

function rowsOf({ name, current, nodes, own }: ShownBuilder): readonly (readonly string[])[] {
  const shown = `${name}${current ? "*" : ""}`;
  const first = own === undefined ? [shown] : [shown, "(this process)", "running", "", some(own.platforms.map(formatPlatform))];
  return [first, ...nodes.map((state) => [`  ${state.node.name}`, state.node.address, status(state), version(state), some(platforms(state))])];
}

/** Everything, in lines for people. */
export function inspected({ name, current, nodes, own }: ShownBuilder): string {
  const head: readonly Line[] = [["Name", current ? `${name} (in use)` : name], ...listed("Platforms", own?.platforms.map(formatPlatform) ?? [])];
  return [lines(head), ...nodes.map((state) => lines(nodeLines(state)))].join("\n");
}

/** Everything, for programs. */
export function builderJson({ name, current, nodes, own }: ShownBuilder): object {
  return { name, current, ...(own === undefined ? {} : { platforms: own.platforms.map(formatPlatform) }), nodes: nodes.map(nodeJson) };
}

function nodeJson(state: NodeState): object {
  const { name, address, pinned } = state.node;
  const common = { name, address, status: status(state), pinned: pinned.map(formatPlatform) };
  if (state.kind === "down") return { ...common, error: state.why };
  const { id, labels, gcPolicy, cdiDevices } = state.worker;
  const devices = cdiDevices.map((device) => device.name);
  return { ...common, version: version(state), platforms: announced(state.worker), worker: id, labels, gcPolicy, devices };
}

type Line = readonly [name: string, value: string];

function nodeLines(state: NodeState): readonly Line[] {
  const head: readonly Line[] = [["Node", state.node.name], ["Address", state.node.address], ["Status", status(state)]];
  if (state.kind === "down") return [...head, ["Error", state.why], ...listed("Platforms", platforms(state))];
  const { id, labels, gcPolicy, cdiDevices } = state.worker;
  return [
    ...head,
    ["Version", version(state)],
    ["Worker", id],
    ...listed("Platforms", platforms(state)),
    ...Object.entries(labels).map(([key, value]): Line => ["Label", `${key}=${value}`]),
    ...cdiDevices.map((device): Line => ["Device", device.name]),
    ...gcPolicy.map((policy, index): Line => ["Collects", `${index + 1}. ${policyText(policy)}`]),
  ];
}

function listed(name: string, values: readonly string[]): readonly Line[] {
  return values.length === 0 ? [] : [[name, values.join(", ")]];
}

function policyText({ all, filters, keepDuration, reservedSpace, maxUsedSpace, minFreeSpace }: WorkerRecord["gcPolicy"][number]): string {
  const hours = keepDuration / 3.6e12;
  return [
    all ? "everything" : filters.length > 0 ? filters.join(", ") : "what can be made again",
    ...(hours > 0 ? [`not used for ${Number(hours.toFixed(1))}h`] : []),
    ...(reservedSpace > 0 ? [`leaves ${formatBytes(reservedSpace)}`] : []),
    ...(maxUsedSpace > 0 ? [`above ${formatBytes(maxUsedSpace)}`] : []),
    ...(minFreeSpace > 0 ? [`until ${formatBytes(minFreeSpace)} are free`] : []),
  ].join("; ");
}

function status({ kind }: NodeState): string {
  return kind === "up" ? "running" : "unreachable";
}

function version(state: NodeState): string {
  return state.kind === "up" ? (state.worker.buildkitVersion?.version ?? "") : "";
}

/** Those that the user has given come first, and have a star. */
function platforms(state: NodeState): readonly string[] {
  const pinned = state.node.pinned.map(formatPlatform);
  const others = state.kind === "up" ? announced(state.worker).filter((name) => !pinned.includes(name)) : [];
  return [...pinned.map((name) => `${name}*`), ...others];
}

function announced(worker: WorkerRecord): readonly string[] {
  return [...new Set(announcedPlatforms(worker).map(formatPlatform))];
}

function some(names: readonly string[]): string {
  const more = names.length - MAX_PLATFORMS;
  return more > 0 ? `${names.slice(0, MAX_PLATFORMS).join(", ")} and ${more} more` : names.join(", ");
}

function lines(list: readonly Line[]): string {
  return list.map(([name, value]) => `${`${name}:`.padEnd(10)} ${printable(value)}\n`).join("");
}

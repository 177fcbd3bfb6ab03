import { statSync } from "node:fs";
import { TbuildError } from "../../cache/errors.js";
import type { DeviceNode } from "../executor/hostDevices.js";
import type { CdiDevice } from "./registry.js";
import type { CdiHook, CdiMount, CdiNode, ContainerEdits } from "./spec.js";

/** What the devices of one container change in it, resolved on this machine. */
export interface DeviceEdits {
  readonly env: readonly string[];
  /** `access` is what the devices cgroup allows, "rwm" or part of it. */
  readonly devices: readonly { readonly node: DeviceNode; readonly access: string }[];
  readonly mounts: readonly CdiMount[];
  readonly hooks: readonly CdiHook[];
  readonly additionalGids: readonly number[];
}

/** No device. */
export const noEdits: DeviceEdits = { env: [], devices: [], mounts: [], hooks: [], additionalGids: [] };

/** The edits of `devices`: those of each file once, before its devices'. @throws {TbuildError} not_found for a node that is not there */
export function deviceEdits(devices: readonly CdiDevice[]): DeviceEdits {
  const files = new Set<string>();
  const edits = devices.flatMap((device): readonly ContainerEdits[] => {
    const isFirst = !files.has(device.file.path);
    files.add(device.file.path);
    return isFirst ? [device.file.edits, device.edits] : [device.edits];
  });
  return {
    env: edits.flatMap(({ env }) => env),
    devices: edits.flatMap(({ deviceNodes }) => deviceNodes.map(resolveNode)),
    mounts: edits.flatMap(({ mounts }) => mounts),
    hooks: edits.flatMap(({ hooks }) => hooks),
    additionalGids: [...new Set(edits.flatMap(({ additionalGids }) => additionalGids))],
  };
}

function resolveNode({ hostPath, permissions = "rwm", ...node }: CdiNode): DeviceEdits["devices"][number] {
  const isWhole = node.type !== undefined && (node.type === "p" || (node.major !== undefined && node.minor !== undefined));
  const facts = isWhole ? {} : hostFacts(hostPath ?? node.path);
  return { node: { ...facts, ...node, type: node.type ?? facts.type ?? "c" }, access: permissions };
}

function hostFacts(file: string): Partial<Pick<DeviceNode, "type" | "major" | "minor">> {
  const stat = statSync(file, { throwIfNoEntry: false });
  if (stat === undefined) throw new TbuildError("not_found", `Cannot give the device "${file}" to a step: this machine has none`);
  if (stat.isFIFO()) return { type: "p" };
  if (!stat.isCharacterDevice() && !stat.isBlockDevice()) {
    throw new TbuildError("invalid_argument", `Cannot give "${file}" to a step: it is no device`);
  }
  return { type: stat.isBlockDevice() ? "b" : "c", ...deviceNumbers(BigInt(stat.rdev)) };
}

/** Major and minor number of a dev_t, as glibc's gnu_dev_major() has them. */
export function deviceNumbers(rdev: bigint): { readonly major: number; readonly minor: number } {
  const major = ((rdev >> 8n) & 0xfffn) | ((rdev >> 32n) & 0xfffff000n);
  const minor = (rdev & 0xffn) | ((rdev >> 12n) & 0xffffff00n);
  return { major: Number(major), minor: Number(minor) };
}

import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { isTbuildError } from "../../cache/errors.js";
import { parseCdi, type ContainerEdits } from "./spec.js";

/** Where CDI specifications are by default, the later directory being the stronger. Source: CDI SPEC.md. */
export const defaultCdiDirs: readonly string[] = ["/etc/cdi", "/var/run/cdi"];

/** A device that a specification describes. */
export interface CdiDevice {
  /** `vendor/class=device`. */
  readonly name: string;
  /** The specification's and the device's own. */
  readonly annotations: Readonly<Record<string, string>>;
  readonly edits: ContainerEdits;
  /** What every device of its file needs, once. */
  readonly file: { readonly path: string; readonly edits: ContainerEdits };
}

/** The devices of this machine. */
export interface CdiRegistry {
  readonly dirs: readonly string[];
  /** Sorted by name. */
  readonly devices: readonly CdiDevice[];
  /** What could not be read, one sentence each; a device that is not found may be there. */
  readonly problems: readonly string[];
}

/** Reads the `.json` and `.yaml` files of `dirs`; of two that describe a device, that of the later directory counts. */
export function loadCdi(dirs: readonly string[]): CdiRegistry {
  const found = new Map<string, CdiDevice>();
  const problems: string[] = [];
  for (const dir of dirs) {
    const ofDir = dirDevices(dir, problems);
    for (const [name, devices] of ofDir) {
      found.delete(name);
      const [device, other] = devices;
      if (other === undefined && device !== undefined) found.set(name, device);
      else problems.push(`"${name}" is in ${devices.map(({ file }) => `"${file.path}"`).join(" and ")}`);
    }
  }
  return { dirs, devices: [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1)), problems };
}

/** Devices of one directory by name; more than one of a name is a conflict. */
function dirDevices(dir: string, problems: string[]): ReadonlyMap<string, readonly CdiDevice[]> {
  const devices = new Map<string, readonly CdiDevice[]>();
  for (const name of namesIn(dir)) {
    const file = path.join(dir, name);
    if (!/\.(?:json|yaml|yml)$/.test(name)) continue;
    try {
      for (const device of fileDevices(file)) devices.set(device.name, [...(devices.get(device.name) ?? []), device]);
    } catch (error) {
      problems.push(isTbuildError(error) ? error.message : `"${file}" cannot be read: ${String(error)}`);
    }
  }
  return devices;
}

function fileDevices(file: string): readonly CdiDevice[] {
  const { kind, annotations, devices, edits } = parseCdi(file, readFileSync(file, "utf8"));
  return devices.map((device) => ({
    name: `${kind}=${device.name}`,
    annotations: { ...annotations, ...device.annotations },
    edits: device.edits,
    file: { path: file, edits },
  }));
}

function namesIn(dir: string): readonly string[] {
  try {
    return readdirSync(dir).sort();
  } catch {
    return [];
  }
}

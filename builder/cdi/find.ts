import { TbuildError } from "../../cache/errors.js";
import type { DeviceRequest } from "../executor/executor.js";
import type { CdiDevice, CdiRegistry } from "./registry.js";

const CLASS = "org.mobyproject.buildkit.device.class";
const AUTO_ALLOW = "org.mobyproject.buildkit.device.autoallow";

/**
 * The devices that are asked for, each once: `vendor/class=device`, the first of `vendor/class`, all of
 * `vendor/class=*`, or those annotated with a class of that name. Source: BuildKit solver/llbsolver/cdidevices.
 * @throws {TbuildError} not_found for a device that is not optional
 */
export function findDevices(registry: CdiRegistry, requests: readonly DeviceRequest[]): readonly CdiDevice[] {
  const found = new Set<CdiDevice>();
  for (const request of requests) {
    const devices = matching(registry.devices, request.name);
    if (devices.length === 0 && !request.optional) throw notFound(registry, request.name);
    for (const device of devices) found.add(device);
  }
  return [...found];
}

/** True for a device whose specification lets every build use it. */
export function isAutoAllowed({ annotations }: CdiDevice): boolean {
  return ["1", "t", "true"].includes((annotations[AUTO_ALLOW] ?? "").toLowerCase());
}

function matching(devices: readonly CdiDevice[], wanted: string): readonly CdiDevice[] {
  const named = wanted.includes("/") ? byName(devices, wanted) : [];
  return named.length > 0 ? named : devices.filter(({ annotations }) => annotations[CLASS] === wanted);
}

function byName(devices: readonly CdiDevice[], wanted: string): readonly CdiDevice[] {
  const [kind = "", name = ""] = wanted.split("=", 2);
  const ofKind = devices.filter((device) => device.name.startsWith(`${kind}=`));
  if (name === "") return ofKind.slice(0, 1);
  return name === "*" ? ofKind : ofKind.filter((device) => device.name === wanted);
}

function notFound({ dirs, devices, problems }: CdiRegistry, name: string): TbuildError {
  if (dirs.length === 0) return new TbuildError("unsupported", `Cannot find the device "${name}": devices are turned off in tbuild.toml`);
  const known = devices.length === 0 ? "None is described" : `Described are ${devices.map((device) => `"${device.name}"`).join(", ")}`;
  return new TbuildError("not_found", `Cannot find the device "${name}" in a CDI specification of ${dirs.join(" or ")}`, {
    hint: [known, ...problems].join("; "),
  });
}

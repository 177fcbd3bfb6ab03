import { isTbuildError, TbuildError, withRange } from "../cache/errors.js";
import { combine } from "../frontend/dockerfile/errors.js";
import type { Vertex } from "../solver/graph.js";
import type { ExecOp } from "../solver/llb/op.js";
import type { Warning } from "../solver/progress.js";
import { findDevices, isAutoAllowed } from "./cdi/find.js";
import { loadCdi, type CdiRegistry } from "./cdi/registry.js";
import { LOCAL_DELETE } from "./exporter/localDelete.js";
import type { BuildRequest } from "./request.js";

/** What the steps of a build may ask for beyond the sandbox. */
export interface Entitlements {
  readonly networkHost: boolean;
  readonly securityInsecure: boolean;
  /** "all", or names as in RUN --device. */
  readonly devices: "all" | readonly string[];
}

/**
 * Entitlements of a request; asking for the host's network for all steps allows it to them. @throws {TbuildError} usage
 * for one that does not exist
 */
export function entitlementsOf({ allow = [], network }: Pick<BuildRequest, "allow" | "network">): Entitlements {
  const devices = allow.filter((name) => name.startsWith("device=")).map(deviceName);
  for (const name of allow) requireKnown(name);
  return {
    networkHost: network === "host" || allow.includes("network.host"),
    securityInsecure: allow.includes("security.insecure"),
    devices: allow.includes("device") ? "all" : devices,
  };
}

function requireKnown(name: string): void {
  if (["network.host", "security.insecure", "device", LOCAL_DELETE].includes(name) || name.startsWith("device=")) return;
  throw new TbuildError("usage", `Cannot allow "${name}": there is no such entitlement`, {
    hint: `There are network.host, security.insecure, device, device=NAME and ${LOCAL_DELETE}`,
  });
}

function deviceName(text: string): string {
  const name = text.slice("device=".length);
  if (name !== "" && !name.includes(",")) return name;
  throw new TbuildError("usage", `Cannot allow "${text}": write device=NAME`, {
    hint: "NAME is as in RUN --device, such as vendor.com/class or vendor.com/class=0; an alias is not supported",
  });
}

/**
 * Refuses steps that ask for more than is allowed, before anything has run; returns which optional devices they go
 * without. `cdiDirs` are read only when a step asks for a device. @throws {TbuildError} permission_denied, and not_found
 * for a device, at their lines
 */
export function checkEntitlements(all: readonly Vertex[], granted: Entitlements, cdiDirs: readonly string[]): readonly Warning[] {
  const registry = lazy(() => loadCdi(cdiDirs));
  const steps = all.flatMap(execStep);
  const errors = steps.flatMap(({ vertex, op }) => refusals(vertex, op, granted, registry));
  if (errors.length > 0) throw combine(errors);
  return steps.flatMap(({ vertex, op }) => (op.cdiDevices.length === 0 ? [] : missingDevices(vertex, op, registry())));
}

function execStep(vertex: Vertex): readonly { readonly vertex: Vertex; readonly op: ExecOp }[] {
  const { body } = vertex.op;
  return body.kind === "exec" ? [{ vertex, op: body }] : [];
}

function missingDevices({ at }: Vertex, op: ExecOp, registry: CdiRegistry): readonly Warning[] {
  const missing = op.cdiDevices.filter((device) => findDevices(registry, [device]).length === 0);
  return missing.map(({ name }) => ({
    rule: null,
    message: `The step runs without the device "${name}", which no CDI specification describes`,
    detail: "",
    url: null,
    at: at[0] ?? null,
  }));
}

function refusals(vertex: Vertex, op: ExecOp, granted: Entitlements, registry: () => CdiRegistry): readonly TbuildError[] {
  const errors: TbuildError[] = [];
  if (op.security === "insecure" && !granted.securityInsecure) errors.push(refused(vertex, "--security=insecure", "security.insecure"));
  if (op.network === "host" && !granted.networkHost) errors.push(refused(vertex, "--network=host", "network.host"));
  if (op.cdiDevices.length > 0) errors.push(...deviceRefusals(vertex, op, granted, registry()));
  return errors;
}

function deviceRefusals(vertex: Vertex, op: ExecOp, { devices }: Entitlements, registry: CdiRegistry): readonly TbuildError[] {
  try {
    const asked = findDevices(registry, op.cdiDevices);
    if (devices === "all") return [];
    const allowed = new Set(findDevices(registry, devices.map((name) => ({ name, optional: true }))));
    const forbidden = asked.filter((device) => !allowed.has(device) && !isAutoAllowed(device));
    return forbidden.map(({ name }) => refused(vertex, `the device "${name}"`, `device=${name}`));
  } catch (error) {
    const located = withRange(error, vertex.at[0]);
    if (!isTbuildError(located)) throw located;
    return [located];
  }
}

function refused({ name, at }: Vertex, what: string, entitlement: string): TbuildError {
  return new TbuildError("permission_denied", `Cannot run "${name}": ${what} needs the entitlement "${entitlement}"`, {
    at: at[0],
    hint: `If you trust this Dockerfile, allow it with --allow ${entitlement}`,
  });
}

function lazy<T>(make: () => T): () => T {
  let made: { readonly value: T } | null = null;
  return () => (made ??= { value: make() }).value;
}

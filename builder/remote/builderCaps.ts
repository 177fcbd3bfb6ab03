import { TbuildError } from "../../cache/errors.js";
import type { gatewayService } from "../api/gateway.js";
import type { Decoded } from "../api/schema.js";
import type { BuildRequest } from "../request.js";

type Pong = Decoded<typeof gatewayService.methods.Ping.response>;

/** What a builder says that it can do. */
export interface BuilderCaps {
  has(id: string): boolean;
}

/** Capabilities as a builder tells them. */
export function capsOf({ frontendApiCaps, llbCaps }: Pong): BuilderCaps {
  const enabled = new Set([...frontendApiCaps, ...llbCaps].filter((cap) => cap.enabled).map(({ id }) => id));
  return { has: (id) => enabled.has(id) };
}

/** What a request needs of a builder, and the option that asks for it. */
const NEEDS: readonly (readonly [cap: string, what: string, wanted: (request: BuildRequest, exporters: number) => boolean])[] = [
  ["solve.base", "builds of Dockerfiles", () => true],
  ["return", "builds of Dockerfiles", () => true],
  ["exporter.multiple", "several outputs", (_, exporters) => exporters > 1],
  ["exec.meta.ulimit", "--ulimit", ({ ulimits = [] }) => ulimits.length > 0],
  ["exec.meta.cgroup.parent", "--cgroup-parent", ({ cgroupParent }) => cgroupParent !== undefined],
  ["exec.meta.network", "--network", ({ network }) => network === "host" || network === "none"],
  ["exec.meta.linux.resources", "--resource", ({ resources = {} }) => Object.keys(resources).length > 0],
  ["exec.mount.secret", "--secret", ({ secrets = [] }) => secrets.length > 0],
  ["exec.mount.ssh", "--ssh", ({ ssh = [] }) => ssh.length > 0],
  ["exec.meta.security", "--allow security.insecure", ({ allow = [] }) => allow.includes("security.insecure")],
  ["exec.meta.cdi", "--allow device", ({ allow = [] }) => allow.some((name) => /^device(?:=|$)/.test(name))],
  ["source.ocilayout", "--build-context oci-layout://", ({ buildContexts = {} }) => Object.values(buildContexts).some((value) => value.startsWith("oci-layout:"))],
  ["source.policy", "--locked", ({ lock }) => lock?.mode === "require"],
  ["source.policy", "--source-policy-file", ({ sourcePolicies = [] }) => sourcePolicies.length > 0],
  ["source.policy.session", "--lock", ({ lock }) => lock?.mode === "record"],
  ["exporter.image.attestations", "--attest", ({ attest = {} }) => Object.keys(attest).length > 0],
  ["frontend.caps", "--build-context", ({ buildContexts = {} }) => Object.keys(buildContexts).length > 0],
];

/** Refuses what the builder would not do, or would leave out. @throws {TbuildError} unsupported */
export function checkCaps(caps: BuilderCaps, request: BuildRequest, exporters: number, shown: string): void {
  const lacking = NEEDS.find(([cap, , wanted]) => wanted(request, exporters) && !caps.has(cap));
  if (lacking === undefined) return;
  const [cap, what] = lacking;
  throw new TbuildError("unsupported", `Cannot build on "${shown}": ${what} needs "${cap}", which the builder lacks`, {
    hint: "Use a newer builder, or build without it",
  });
}

import path from "node:path";
import type { ContainerConfig } from "../../../cache/oci/descriptor.js";
import { defaultPath } from "../../../frontend/dockerfile/configImage.js";
import type { WorkerRecordInput } from "../../api/worker.js";
import type { ProcessSpec } from "../../executor/executor.js";
import type { FrontendOpt } from "../frontend/frontendOpt.js";

/** What of a frontend's process is in neither its image nor its options. */
export interface FrontendPlace {
  /** Unique among the containers of this machine. */
  readonly id: string;
  /** Directory of the mounted root file system. */
  readonly rootfs: string;
  /** Directory with `frontend.bin`, the graph of the frontend's own image. */
  readonly metadata: string;
  /** Id of the client's session; "" is none. */
  readonly session: string;
  readonly workers: readonly WorkerRecordInput[];
}

const METADATA = "/run/config/buildkit/metadata";

/** The process that a frontend's image and options stand for. Pure. Source: BuildKit, frontend/gateway/gateway.go. */
export function frontendSpec(config: ContainerConfig, opt: FrontendOpt, place: FrontendPlace): ProcessSpec {
  const { id, rootfs, metadata } = place;
  return {
    id,
    rootfs,
    readonlyRootfs: false,
    args: config.Entrypoint ?? ["/run"],
    env: envOf(config, opt, place),
    cwd: path.posix.resolve("/", config.WorkingDir ?? "/"),
    user: "",
    mounts: [{ kind: "bind", source: metadata, dest: METADATA, readonly: true, isFile: false }],
    network: isTrue(config.Labels?.["moby.buildkit.frontend.network.none"]) ? "none" : "default",
    security: "sandbox",
    terminal: false,
    hostname: "buildkitsandbox",
    extraHosts: [],
    ulimits: [],
    cgroupParent: "",
    resources: null,
    devices: [],
  };
}

function envOf({ Env = [] }: ContainerConfig, opt: FrontendOpt, { session, workers }: FrontendPlace): readonly string[] {
  const hasPath = Env.some((line) => line.startsWith("PATH="));
  return [
    ...(hasPath ? [] : [`PATH=${defaultPath}`]),
    ...Env,
    ...Object.entries(opt).map(([name, value], index) => `BUILDKIT_FRONTEND_OPT_${index}=${name}=${value}`),
    `BUILDKIT_SESSION_ID=${session}`,
    `BUILDKIT_WORKERS=${JSON.stringify(workers.map(({ id, labels, platforms, buildkitVersion }) => ({ id, labels, platforms, buildkitVersion })))}`,
    "BUILDKIT_EXPORTEDPRODUCT=",
  ];
}

function isTrue(text: string | undefined): boolean {
  return /^(?:1|t|true)$/i.test(text ?? "");
}

import path from "node:path";
import { TbuildError } from "../cache/errors.js";
import type { ContainerConfig } from "../cache/oci/descriptor.js";
import { defaultPath } from "../frontend/dockerfile/configImage.js";
import type { ProcessSpec } from "./executor/executor.js";
import type { RunRequest } from "./request.js";

/** What of a process is said by neither the image nor the request. */
export interface RunPlace {
  /** Unique among the containers of this machine. */
  readonly id: string;
  /** Directory of the mounted root file system. */
  readonly rootfs: string;
  readonly hostname: string;
}

/**
 * The process that an image and a request for it stand for, as `docker run` has it. Pure.
 * @throws {TbuildError} invalid_argument when neither names a command
 */
export function runSpec(config: ContainerConfig, request: RunRequest, place: RunPlace): ProcessSpec {
  return {
    ...place,
    args: argsOf(config, request),
    env: envOf(config, request, place),
    cwd: path.posix.resolve("/", request.workingDir ?? config.WorkingDir ?? "/"),
    user: request.user ?? config.User ?? "",
    readonlyRootfs: request.readonlyRootfs ?? false,
    mounts: request.mounts ?? [],
    network: request.network ?? "default",
    security: "sandbox",
    terminal: request.terminal ?? false,
    extraHosts: request.extraHosts ?? [],
    ulimits: [],
    cgroupParent: "",
    resources: null,
    devices: [],
  };
}

/** An entry point of the request's own leaves out the image's arguments as well, which were meant for another. */
function argsOf(config: ContainerConfig, { image, command = [], entrypoint }: RunRequest): readonly string[] {
  const defaults = entrypoint === undefined ? (config.Cmd ?? []) : [];
  const args = [...(entrypoint ?? config.Entrypoint ?? []), ...(command.length > 0 ? command : defaults)];
  if (args.length > 0) return args;
  throw new TbuildError("invalid_argument", `Cannot run "${image}": the image has neither ENTRYPOINT nor CMD`, {
    hint: `Name a command: tbuild run ${image} COMMAND`,
  });
}

function envOf({ Env = [] }: ContainerConfig, { env = [], terminal = false }: RunRequest, { hostname }: RunPlace): readonly string[] {
  const own = [`PATH=${defaultPath}`, `HOSTNAME=${hostname}`, ...(terminal ? ["TERM=xterm"] : [])];
  const byName = new Map([...own, ...Env, ...env].map((line) => [line.split("=", 1)[0], line]));
  return [...byName.values()];
}

/** Options of `docker build` that are known, but not there yet, and what to do instead. */
export const notYet: Readonly<Record<string, string>> = {
  squash: "Leave it away",
};

const PASSWORD = "Others would see it: pipe it in with -u NAME --password-stdin";
const MOUNT = "Give files with --build-context NAME=DIR and RUN --mount=from=NAME";
const SANDBOX = "The sandbox is the same for every step: RUN --security=insecure with --allow security.insecure lifts it";

/** Options of other tools that would make a build depend on the machine or that a Dockerfile says itself, and what to do instead. */
export const notHere: Readonly<Record<string, string>> = {
  v: MOUNT,
  volume: MOUNT,
  mount: MOUNT,
  dns: "Steps have the resolvers of this machine",
  "dns-option": "Steps have the resolvers of this machine",
  "dns-search": "Steps have the resolvers of this machine",
  "cap-add": SANDBOX,
  "cap-drop": SANDBOX,
  "security-opt": SANDBOX,
  isolation: SANDBOX,
  userns: SANDBOX,
  ipc: SANDBOX,
  pid: SANDBOX,
  uts: SANDBOX,
  ignorefile: "An ignore file beside the Dockerfile counts before .dockerignore: <Dockerfile>.dockerignore",
  "build-arg-file": "Give each with --build-arg NAME=VALUE",
  "save-stages": "Build each stage that is wanted with --target NAME",
  "stage-labels": "Build each stage that is wanted with --target NAME",
  "skip-unused-stages": "Stages that the target does not need are never built",
  jobs: "Set worker.oci.max-parallelism in the configuration",
  layers: "Layers are always cached; --no-cache runs every step again",
  format: "Image format is OCI; -o type=docker writes an archive that docker load takes",
  tls: "Set http, insecure and ca for the registry in the configuration",
  "tls-verify": "Set http, insecure and ca for the registry in the configuration",
  p: PASSWORD,
  password: PASSWORD,
  "proxy-network": "RUN --network=none takes the network away",
};

const RUN_SANDBOX = "The sandbox is that of a build's steps";
const RUN_LIMITS = "A run has no limits of its own";

/** Options of `docker run` that `tbuild run` does not have, and what to do instead. Those with a letter have it; `value` is true for those that take one. */
export const notForRun: Readonly<Record<string, { readonly hint: string; readonly alias?: string; readonly value: boolean }>> = {
  name: { hint: "A run ends with its process, and leaves nothing that could be named", value: true },
  detach: { hint: "A run is in the foreground; a shell puts it behind with &", alias: "d", value: false },
  restart: { hint: "A run ends with its process", value: true },
  publish: { hint: "The process has the network of this machine: its ports are there already", alias: "p", value: true },
  "publish-all": { hint: "The process has the network of this machine: its ports are there already", alias: "P", value: false },
  init: { hint: "The command is process 1; name an init of the image as --entrypoint", value: false },
  privileged: { hint: RUN_SANDBOX, value: false },
  "cap-add": { hint: RUN_SANDBOX, value: true },
  "cap-drop": { hint: RUN_SANDBOX, value: true },
  "security-opt": { hint: RUN_SANDBOX, value: true },
  device: { hint: RUN_SANDBOX, value: true },
  gpus: { hint: RUN_SANDBOX, value: true },
  memory: { hint: RUN_LIMITS, alias: "m", value: true },
  cpus: { hint: RUN_LIMITS, value: true },
  tmpfs: { hint: "Write --mount type=tmpfs,dst=/PATH", value: true },
};

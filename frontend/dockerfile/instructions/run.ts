import type { ExecOp } from "../../../solver/llb/op.js";
import type { Output } from "../../../solver/llb/state.js";
import { inlineFile, step } from "../convertNodes.js";
import { type StageContext, type StageState, configOf, withReads, workingDir } from "../convertState.js";
import { badValue } from "../errors.js";
import { runText, withHistory } from "../history.js";
import { nextStep, shownCommand } from "../historySteps.js";
import type { Heredoc, RunInstruction } from "../instruction.js";
import { refuseWindows } from "../platformWord.js";
import { expand } from "../scope.js";
import { type Env, formatEnv, setEnv } from "../scopeEnv.js";
import { argvOf } from "./command.js";
import { type MountOptions, parseMount } from "./mountOptions.js";
import { type PlannedMount, numberMounts, planMounts, secretVariable } from "./runMounts.js";
import { sourceWords } from "./sources.js";

/** RUN: one exec step whose root filesystem becomes the stage's. */
export function applyRun(s: StageState, ins: RunInstruction, c: StageContext): StageState {
  sourceWords(ins);
  refuseWindows("RUN", c.platform, ins.at);
  const options = ins.mounts.map((word) => parseMount(word, ins.where, (value) => expand(value, s, c, ins.at)));
  const planned = planMounts(options, s, c, ins.at);
  const script = scriptOf(ins, s);
  const inputs: Output[] = [];
  const mounts = numberMounts([rootMount(s.root), ...shmMounts(c), ...script.mounts, ...planned.mounts], inputs);
  const { name, state } = nextStep(s, c, shownCommand(script.shown, withSecretsMasked(s.env, options)));
  const exec: ExecOp = {
    kind: "exec",
    meta: metaOf(script.argv, execEnv(s, mounts), s, c),
    mounts,
    network: networkOf(ins, c),
    security: securityOf(ins),
    secretEnv: planned.secretEnv,
    cdiDevices: ins.devices,
  };
  const { ignoreCache, platform } = c;
  const root = step(exec, inputs, { name, at: [ins.at], ignoreCache, platform, resources: c.options.resources });
  const done = planned.reads.reduce<StageState>((known, { tree, path }) => withReads(known, tree, [path]), { ...state, root });
  return withHistory(done, c, runText(script.argv, s.args, s.env), "layer");
}

interface Script {
  readonly argv: readonly string[];
  readonly mounts: readonly PlannedMount[];
  /** For the step's name. */
  readonly shown: string;
}

/** A lone here-document is the script itself; with a "#!" line it is run as a program. Others are left to the shell. */
function scriptOf(ins: RunInstruction, s: StageState): Script {
  const { command, heredocs } = ins;
  const [first] = heredocs;
  if (first === undefined || command.form === "exec") return { argv: argvOf(command, s), mounts: [], shown: ins.original };
  if (!isLoneHeredoc(command.text)) {
    const text = [command.text, ...heredocs.map(({ content, name }) => content + name)].join("\n");
    return { argv: argvOf({ form: "shell", text }, s), mounts: [], shown: ins.original };
  }
  const shown = `${ins.original} (${summary(first.content)})`;
  if (!first.content.startsWith("#!")) return { argv: argvOf({ form: "shell", text: first.content }, s), mounts: [], shown };
  const path = `/dev/pipes/${first.name}`;
  return { argv: argvOf({ form: "shell", text: path }, s), mounts: [programMount(first, ins)], shown };
}

function isLoneHeredoc(text: string): boolean {
  return /^\d*<<-?(?:[^<\s"']|"[^"<]*"|'[^'<]*')+$/.test(text.trim());
}

function summary(content: string): string {
  const [first = "", ...rest] = content.trim().split(/\r?\n/);
  return rest.length > 0 ? `${first}...` : first;
}

function programMount(file: Heredoc, ins: RunInstruction): PlannedMount {
  const tree = inlineFile(`/${file.name}`, 0o755, Buffer.from(file.content), ins.at);
  return { tree, selector: "/", dest: "/dev/pipes/", readonly: true, type: { kind: "bind" }, kept: false };
}

function rootMount(tree: Output | null): PlannedMount {
  return { tree, selector: "", dest: "/", readonly: false, type: { kind: "bind" }, kept: true };
}

function shmMounts({ options }: StageContext): readonly PlannedMount[] {
  const size = options.shmSize ?? 0;
  if (size === 0) return [];
  return [{ tree: null, selector: "", dest: "/dev/shm", readonly: false, type: { kind: "tmpfs", size }, kept: false }];
}

function metaOf(argv: readonly string[], env: Env, s: StageState, c: StageContext): ExecOp["meta"] {
  return {
    args: argv,
    env: formatEnv(env),
    cwd: workingDir(s),
    user: configOf(s).User ?? "",
    proxyEnv: c.proxy,
    extraHosts: c.options.extraHosts,
    hostname: c.options.buildArgs.get("BUILDKIT_SANDBOX_HOSTNAME") || (c.options.hostname ?? ""),
    ulimits: c.options.ulimits,
    cgroupParent: c.options.cgroupParent,
    removeMountStubsRecursive: true,
    validExitCodes: [],
  };
}

/** The stage's variables, and where the ssh agent is when one is mounted. */
function execEnv(s: StageState, mounts: ExecOp["mounts"]): Env {
  const ssh = mounts.find(({ type }) => type.kind === "ssh");
  return ssh === undefined || s.env.has("SSH_AUTH_SOCK") ? s.env : setEnv(s.env, "SSH_AUTH_SOCK", ssh.dest);
}

function withSecretsMasked(env: Env, mounts: readonly MountOptions[]): Env {
  return mounts.reduce((known, mount) => (mount.env === null ? known : setEnv(known, secretVariable(mount), "****")), env);
}

function networkOf(ins: RunInstruction, c: StageContext): ExecOp["network"] {
  const asked = ins.network ?? "default";
  if (asked === "host" || asked === "none") return asked;
  if (asked !== "default") throw badValue("the network of a step", asked, ins.at, "Known: default, none, host");
  return c.options.network === "default" ? "unset" : c.options.network;
}

function securityOf(ins: RunInstruction): ExecOp["security"] {
  const asked = ins.security ?? "sandbox";
  if (asked === "sandbox" || asked === "insecure") return asked;
  throw badValue("the security mode of a step", asked, ins.at, "Known: sandbox, insecure");
}

import { statSync } from "node:fs";
import net, { type Socket } from "node:net";
import { TbuildError } from "../../cache/errors.js";
import type { SshSpec } from "../request.js";
import { agentOfKeys } from "./agentProtocol.js";
import type { SshAgents } from "./agents.js";
import { openAgentSocket, type Serve } from "./agentSocket.js";
import { readPrivateKey } from "./privateKey.js";

/** The agents that a build was given: sockets are passed on to, keys are an agent of this process that can only list and sign. */
export function createAgents(specs: readonly SshSpec[], env: NodeJS.ProcessEnv = process.env): SshAgents {
  const byId = new Map(specs.map((spec) => [spec.id, spec]));
  const serving = new Map<string, Serve>();
  return {
    has: (id) => byId.has(id),
    async open(id, file) {
      const spec = byId.get(id);
      if (spec === undefined) return null;
      const serve = serving.get(id) ?? servingOf(spec, env);
      serving.set(id, serve);
      return await openAgentSocket(file, serve);
    },
  };
}

function servingOf({ id, paths, raw }: SshSpec, env: NodeJS.ProcessEnv): Serve {
  const [first = env["SSH_AUTH_SOCK"] || undefined, ...more] = paths;
  if (first === undefined) {
    throw new TbuildError("not_found", `Cannot use --ssh ${id}: no agent is running ($SSH_AUTH_SOCK is not set)`, { hint: `Start one, or name a key: --ssh ${id}=FILE` });
  }
  if (isSocket(id, first)) {
    if (more.length > 0) throw new TbuildError("invalid_argument", `Cannot use --ssh ${id}: "${first}" is a socket, of which there can be only one`);
    return (connection) => passOn(connection, first);
  }
  if (raw) throw new TbuildError("invalid_argument", `Cannot use --ssh ${id}: "${first}" is no socket`);
  return agentOfKeys([first, ...more].map(readPrivateKey));
}

function isSocket(id: string, path: string): boolean {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) throw new TbuildError("not_found", `Cannot use --ssh ${id}: "${path}" does not exist`);
  return stat.isSocket();
}

function passOn(connection: Socket, path: string): void {
  const agent = net.connect(path);
  connection.pipe(agent).pipe(connection);
  for (const [one, other] of [[connection, agent], [agent, connection]] as const) {
    one.on("error", () => other.destroy());
    one.on("close", () => other.destroy());
  }
}

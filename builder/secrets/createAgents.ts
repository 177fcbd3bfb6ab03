import { statSync } from "node:fs";
import net from "node:net";
import type { Duplex } from "node:stream";
import { TbuildError } from "../../cache/errors.js";
import type { SshSpec } from "../request.js";
import { agentOfKeys } from "./agentProtocol.js";
import type { SshAgents } from "./agents.js";
import { openAgentSocket, type Serve } from "./agentSocket.js";
import { readPrivateKey } from "./privateKey.js";

/** Agents of this machine. */
export interface GivenAgents extends SshAgents {
  /** Serves connections to the agent of `id`; null when the build was given none. @throws {TbuildError} not_found, invalid_argument */
  serve(id: string): Serve | null;
}

/** The agents that a build was given: sockets are passed on to, keys are an agent of this process that can only list and sign. */
export function createAgents(specs: readonly SshSpec[], env: NodeJS.ProcessEnv = process.env): GivenAgents {
  const byId = new Map(specs.map((spec) => [spec.id, spec]));
  const serving = new Map<string, Serve>();
  const serve = (id: string): Serve | null => {
    const spec = byId.get(id);
    if (spec === undefined) return null;
    const known = serving.get(id) ?? servingOf(spec, env);
    serving.set(id, known);
    return known;
  };
  return {
    has: (id) => byId.has(id),
    serve,
    async open(id, file) {
      const found = serve(id);
      return found === null ? null : await openAgentSocket(file, found);
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

function passOn(connection: Duplex, path: string): void {
  const agent = net.connect(path);
  connection.pipe(agent).pipe(connection);
  for (const [one, other] of [[connection, agent], [agent, connection]] as const) {
    one.on("error", () => other.destroy());
    one.on("close", () => other.destroy());
  }
}

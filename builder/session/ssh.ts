import type { Duplex } from "node:stream";
import type { Opts } from "../../cache/content/store.js";
import { hasCode } from "../../cache/errors.js";
import type { SshAgents } from "../secrets/agents.js";
import { openAgentSocket } from "../secrets/agentSocket.js";
import { checkAgent, forwardAgent } from "../api/session.js";
import { ask } from "./calls.js";
import type { RawCall } from "./rawCall.js";
import type { Session } from "./session.js";

/** What an agent is called that has no other name. */
const DEFAULT_ID = "default";

/**
 * Those of the agents of these ids that the client has, which it is asked now. Each connection of a step is passed on to it.
 * @throws {TbuildError} unavailable, cancelled
 */
export async function findAgents(session: Session, ids: readonly string[], opts: Opts): Promise<SshAgents> {
  const names = [...new Set(ids.map(nameOf))];
  const has = await Promise.all(names.map((id) => hasAgent(session, id, opts)));
  const found = new Set(names.filter((_, index) => has[index] === true));
  return {
    has: (id) => found.has(nameOf(id)),
    async open(id, file) {
      if (!found.has(nameOf(id))) return null;
      return await openAgentSocket(file, (connection) => void forward(session, nameOf(id), connection, opts));
    },
  };
}

function nameOf(id: string): string {
  return id === "" ? DEFAULT_ID : id;
}

/** A client tells that it has no such agent by an error of no particular code. */
async function hasAgent(session: Session, id: string, opts: Opts): Promise<boolean> {
  if (!session.supports(checkAgent.path)) return false;
  try {
    await ask(session, checkAgent, { id }, opts);
    return true;
  } catch (error) {
    if (hasCode(error, "cancelled") || session.closed.aborted) throw error;
    return false;
  }
}

/** One connection; either end may close its half first. What goes wrong ends the connection, as an agent that dies does. */
async function forward(session: Session, id: string, connection: Duplex, opts: Opts): Promise<void> {
  let call: RawCall | null = null;
  try {
    call = session.call(forwardAgent.path, { ...opts, metadata: { "buildkit.ssh.id": id } });
    connection.on("close", () => call?.cancel());
    await Promise.all([outward(connection, call), inward(call, connection)]);
  } catch {
    connection.destroy();
  } finally {
    call?.cancel();
  }
}

async function outward(connection: Duplex, call: RawCall): Promise<void> {
  for await (const data of connection.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    await call.send([forwardAgent.request.encode({ data })]);
  }
  call.finish();
}

async function inward(call: RawCall, connection: Duplex): Promise<void> {
  for await (const messages of call.received) {
    for (const message of messages) {
      const { data } = forwardAgent.response.decode(message);
      if (!connection.write(data)) await new Promise<void>((done) => connection.once("drain", done).once("close", done));
    }
  }
  connection.end();
}

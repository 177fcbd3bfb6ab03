import { TbuildError } from "../../../cache/errors.js";
import { checkAgent, forwardAgent, getSecret } from "../../api/session.js";
import { type BytesMessage, byteStream } from "../../daemon/byteStream.js";
import type { SecretStore } from "../../secrets/secretStore.js";
import type { GivenAgents } from "../../secrets/createAgents.js";
import type { Serve } from "../../secrets/agentSocket.js";
import type { ServedCall } from "./servedCall.js";
import { answers, type Offers } from "./serveSession.js";

/** Values of the secrets that the build was given, as they are asked for. */
export function secretOffers(secrets: SecretStore): Offers {
  return answers(getSecret, ({ id }) => {
    const data = secrets.get(id);
    if (data === null) throw new TbuildError("not_found", `secret ${id}: not found`);
    return { data };
  });
}

/** What an agent is called that has no other name. */
const DEFAULT_ID = "default";

/** Connections to the agents that the build was given: keys stay here, and only sign. */
export function agentOffers(agents: GivenAgents): Offers {
  const find = (id: string): Serve => {
    const serve = agents.serve(nameOf(id));
    if (serve === null) throw new TbuildError("not_found", `unset ssh forward key ${nameOf(id)}`);
    return serve;
  };
  return {
    ...answers(checkAgent, ({ id }) => {
      find(id);
      return {};
    }),
    [forwardAgent.path]: async (call) => await forward(call, find(call.header("buildkit.ssh.id")[0] ?? "")),
  };
}

function nameOf(id: string): string {
  return id === "" ? DEFAULT_ID : id;
}

/** A connection of a step on the builder, served as one of this machine would be. */
async function forward(call: ServedCall, serve: Serve): Promise<void> {
  const { stream, responses } = byteStream(requestsOf(call));
  call.signal.addEventListener("abort", () => stream.destroy());
  stream.on("error", () => {});
  try {
    serve(stream);
    for await (const message of responses) await call.send([forwardAgent.response.encode(message)]);
  } finally {
    stream.destroy();
  }
}

async function* requestsOf(call: ServedCall): AsyncGenerator<BytesMessage> {
  for await (const messages of call.received) for (const message of messages) yield forwardAgent.request.decode(message);
}

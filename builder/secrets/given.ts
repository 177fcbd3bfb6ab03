import { parseMainContext } from "../context/mainContext.js";
import type { BuildRequest, SshSpec } from "../request.js";
import { createAgents, type GivenAgents } from "./createAgents.js";
import { createSecrets } from "./createSecrets.js";
import type { SecretStore } from "./secretStore.js";

/** Secrets and agents of a request. A context that comes over ssh has the user's agent, if one is running, without asking. */
export function givenTo(request: Pick<BuildRequest, "context" | "secrets" | "ssh">): { readonly secrets: SecretStore; readonly agents: GivenAgents } {
  const ssh = request.ssh ?? [];
  const context = parseMainContext(request.context);
  const wantsAgent = context.kind === "git" && context.url.scheme === "ssh" && (process.env["SSH_AUTH_SOCK"] ?? "") !== "";
  const implied: readonly SshSpec[] = wantsAgent && !ssh.some(({ id }) => id === "default") ? [{ id: "default", paths: [], raw: false }] : [];
  return { secrets: createSecrets(request.secrets ?? []), agents: createAgents([...ssh, ...implied]) };
}

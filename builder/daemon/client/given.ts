import type { Opts } from "../../../cache/content/store.js";
import type { SourceOp } from "../../../solver/llb/op.js";
import type { Vertex } from "../../../solver/graph.js";
import { fetchSecrets } from "../../session/secrets.js";
import type { Session } from "../../session/session.js";
import { findAgents } from "../../session/ssh.js";
import { createAgents } from "../../secrets/createAgents.js";
import { createSecrets } from "../../secrets/createSecrets.js";
import type { Given } from "../../checkSecrets.js";

/** Nothing. */
export const nothingGiven: Given = { secrets: createSecrets([]), agents: createAgents([]) };

/** What a source may ask its client for. */
export function wantedBySource({ identifier, attrs }: Pick<SourceOp, "identifier" | "attrs">): Wanted {
  const agents = identifier.startsWith("git://") ? [attrs["git.mountsshsock"] ?? "default"] : [];
  return { secrets: sourceSecrets(identifier, attrs), agents };
}

/** Ids of what a client may be asked for. */
export interface Wanted {
  readonly secrets: readonly string[];
  readonly agents: readonly string[];
}

/** The secrets and agents of a client that steps may ask for, all fetched now. */
export async function givenBy(session: Session | null, steps: readonly Vertex[], opts: Opts): Promise<Given> {
  return await givenOf(session, { secrets: steps.flatMap(secretIds), agents: steps.flatMap(agentIds) }, opts);
}

/** These secrets and agents of a client, as far as it has them, all fetched now. */
export async function givenOf(session: Session | null, wanted: Wanted, opts: Opts): Promise<Given> {
  if (session === null) return nothingGiven;
  const [secrets, agents] = await Promise.all([fetchSecrets(session, wanted.secrets, opts), findAgents(session, wanted.agents, opts)]);
  return { secrets, agents };
}

function secretIds({ op: { body } }: Vertex): readonly string[] {
  if (body.kind === "source") return wantedBySource(body).secrets;
  if (body.kind !== "exec") return [];
  return [...body.mounts.flatMap(({ type }) => (type.kind === "secret" ? [type.id] : [])), ...body.secretEnv.map(({ id }) => id)];
}

function agentIds({ op: { body } }: Vertex): readonly string[] {
  if (body.kind === "source") return wantedBySource(body).agents;
  return body.kind === "exec" ? body.mounts.flatMap(({ type }) => (type.kind === "ssh" ? [type.id] : [])) : [];
}

/** Downloads and repositories ask for logins by the name of their host. */
function sourceSecrets(identifier: string, attrs: Readonly<Record<string, string>>): readonly string[] {
  const named = Object.entries(attrs).flatMap(([key, value]) => (/^(?:git|http)\.auth(?:token|header)secret$/.test(key) ? [value] : []));
  const url = attrs["git.fullurl"] ?? identifier.replace(/^git:\/\//, "https://");
  const host = URL.canParse(url) ? new URL(url) : null;
  if (host === null) return named;
  if (identifier.startsWith("git://")) return [...named, ...["GIT_AUTH_TOKEN", "GIT_AUTH_HEADER"].flatMap((name) => [`${name}.${host.host}`, name])];
  if (!/^https?:\/\//.test(identifier)) return named;
  return [...named, `HTTP_AUTH_TOKEN_${host.hostname}`, `HTTP_AUTH_HEADER_${host.hostname}`];
}

import { isTbuildError, TbuildError, withRange } from "../cache/errors.js";
import { combine } from "../frontend/dockerfile/errors.js";
import type { Vertex } from "../solver/graph.js";
import type { SshAgents } from "./secrets/agents.js";
import type { SecretStore } from "./secrets/secretStore.js";

/** What a build can give to its steps. */
export interface Given {
  readonly secrets: SecretStore;
  readonly agents: SshAgents;
}

/**
 * Looks for every secret and agent that steps cannot do without before anything runs, so that none is missed after minutes.
 * @throws {TbuildError} not_found, all that are missing, each at its line
 */
export function checkSecrets(steps: readonly Vertex[], given: Given): void {
  const errors = steps.flatMap((step) => missingFor(step, given));
  if (errors.length > 0) throw combine(errors);
}

function missingFor(vertex: Vertex, given: Given): readonly TbuildError[] {
  const { body } = vertex.op;
  if (body.kind !== "exec") return [];
  const files = body.mounts.flatMap(({ type }) => (type.kind === "secret" ? [type] : []));
  const agents = body.mounts.flatMap(({ type }) => (type.kind === "ssh" ? [type] : []));
  return [
    ...[...files, ...body.secretEnv].flatMap((secret) => missingSecret(vertex, secret, given.secrets)),
    ...agents.filter(({ id, optional }) => !optional && !given.agents.has(id)).map(({ id }) => missingAgent(vertex, id)),
  ];
}

interface Wanted {
  readonly id: string;
  readonly optional: boolean;
}

/** One that was given but cannot be read is an error, optional or not. */
function missingSecret({ at: [at] }: Vertex, { id, optional }: Wanted, secrets: SecretStore): readonly TbuildError[] {
  try {
    if (optional || secrets.get(id) !== null) return [];
  } catch (error) {
    const located = withRange(error, at);
    if (isTbuildError(located)) return [located];
    throw error;
  }
  const hint = `Give it with --secret id=${id},src=FILE or --secret id=${id},env=VARIABLE`;
  return [new TbuildError("not_found", `Cannot mount the secret "${id}": the build was given none`, { at, hint })];
}

function missingAgent({ at: [at] }: Vertex, id: string): TbuildError {
  const hint = `Give it with --ssh ${id}, or --ssh ${id}=SOCKET_OR_KEY`;
  return new TbuildError("not_found", `Cannot mount the ssh agent "${id}": the build was given none`, { at, hint });
}

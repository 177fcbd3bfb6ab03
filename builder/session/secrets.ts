import type { Opts } from "../../cache/content/store.js";
import { hasCode } from "../../cache/errors.js";
import { secretStore } from "../secrets/createSecrets.js";
import type { SecretStore } from "../secrets/secretStore.js";
import { getSecret } from "../api/session.js";
import { ask } from "./calls.js";
import type { Session } from "./session.js";

/**
 * The secrets of these ids that the client has, all asked for now: those that steps name. Kept in memory only.
 * @throws {TbuildError} unavailable, cancelled; and whatever the client refuses one with, unless it is that it has none
 */
export async function fetchSecrets(session: Session, ids: readonly string[], opts: Opts): Promise<SecretStore> {
  const values = new Map<string, Buffer>();
  await Promise.all(
    [...new Set(ids)].map(async (id) => {
      const value = await fetchSecret(session, id, opts);
      if (value !== null) values.set(id, value);
    }),
  );
  return secretStore([...values.keys()], (id) => values.get(id) ?? null);
}

async function fetchSecret(session: Session, id: string, opts: Opts): Promise<Buffer | null> {
  if (!session.supports(getSecret.path)) return null;
  try {
    return Buffer.from((await ask(session, getSecret, { id }, opts)).data);
  } catch (error) {
    if (hasCode(error, "not_found") || hasCode(error, "unsupported")) return null;
    throw error;
  }
}

import { randomBytes } from "node:crypto";
import type { Opts } from "../../cache/content/store.js";
import { hasCode } from "../../cache/errors.js";
import type { Credentials, CredentialStore, TokenRequest } from "../registry/credentials.js";
import { fetchToken, getCredentials, getTokenAuthority } from "../api/session.js";
import { ask } from "./calls.js";
import type { Session } from "./session.js";

/** A helper of the client's may ask its user. Source: BuildKit, session/auth/auth.go. */
const TIMEOUT_MS = 60_000;

/** Keys that clients derive for us are of no use to another daemon, nor to the next one. */
const salt = randomBytes(32);

/** The logins of a client. One that keeps them to itself fetches the tokens, too. */
export function sessionCredentials(session: Session, opts: Opts): CredentialStore {
  const authorities = new Map<string, Promise<boolean>>();
  const call = { ...opts, timeoutMs: TIMEOUT_MS };

  const keepsLogin = (host: string): Promise<boolean> => {
    const known = authorities.get(host) ?? hasAuthority(session, host, call);
    authorities.set(host, known);
    return known;
  };
  return {
    async get(host) {
      if (!session.supports(getCredentials.path)) return null;
      return credentialsOf(await ask(session, getCredentials, { host: wireHost(host) }, call).catch(unlessUnsupported));
    },
    async token({ host, ...request }: TokenRequest, { signal }) {
      if (!session.supports(fetchToken.path) || !(await keepsLogin(wireHost(host)))) return null;
      const asked = { clientId: "buildkit-client", host: wireHost(host), ...request };
      const { token } = await ask(session, fetchToken, asked, { signal: signal ?? opts.signal, timeoutMs: TIMEOUT_MS });
      return token === "" ? null : token;
    },
  };
}

/** Clients know Docker Hub by the name of its server. */
function wireHost(host: string): string {
  return host === "docker.io" ? "registry-1.docker.io" : host;
}

async function hasAuthority(session: Session, host: string, call: Opts & { readonly timeoutMs: number }): Promise<boolean> {
  if (!session.supports(getTokenAuthority.path)) return false;
  try {
    return (await ask(session, getTokenAuthority, { host, salt }, call)).publicKey.length > 0;
  } catch (error) {
    // Clients say "unavailable" when they have been told to give logins away instead.
    if (hasCode(error, "unsupported") || (hasCode(error, "unavailable") && !session.closed.aborted)) return false;
    throw error;
  }
}

function unlessUnsupported(error: unknown): null {
  if (hasCode(error, "unsupported")) return null;
  throw error;
}

function credentialsOf(answer: { readonly username: string; readonly secret: string } | null): Credentials | null {
  if (answer === null || answer.secret === "") return null;
  const { username, secret } = answer;
  return username === "" ? { kind: "identity", token: secret } : { kind: "password", username, password: secret };
}

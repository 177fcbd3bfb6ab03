import { createHmac, createPrivateKey, createPublicKey, type KeyObject, randomBytes, sign } from "node:crypto";
import type { Opts } from "../../../cache/content/store.js";
import { TbuildError } from "../../../cache/errors.js";
import { fetchToken as fetchTokenCall, getCredentials, getTokenAuthority, verifyTokenAuthority } from "../../api/session.js";
import { fetchToken } from "../../registry/auth.js";
import type { Credentials, CredentialStore } from "../../registry/credentials.js";
import type { HttpTransport } from "../../registry/http.js";
import type { RegistryWords } from "./registryWords.js";
import { answers, type Offers } from "./serveSession.js";

/** What {@link loginOffers} works with. */
export interface LoginParts {
  readonly credentials: CredentialStore;
  readonly transport: HttpTransport;
  /** What registries themselves say of how one logs in. */
  readonly words: RegistryWords;
}

/** Seconds for which a token counts whose server does not say. Source: distribution, docs/spec/auth/token.md. */
const EXPIRES_IN = 60;

/** Of this process: a builder may use what it has kept of one build's tokens for its other builds only. */
const seed = randomBytes(32);

/**
 * Logs in to registries for the builder: tokens are fetched here, from the server that the registry itself names, so that
 * the password stays. It is given away only for a registry that takes nothing else.
 */
export function loginOffers({ credentials, transport, words }: LoginParts): Offers {
  const held = async (host: string): Promise<Credentials> => {
    const login = await credentials.get(host);
    if (login !== null) return login;
    throw new TbuildError("unavailable", `no login for ${host}`);
  };
  return {
    // Without a login the builder asks by itself, and this machine need not reach the registry.
    ...answers(getTokenAuthority, async ({ host, salt }) => {
      await held(host);
      return { publicKey: rawPublicKey(authorityKey(host, salt)) };
    }),
    ...answers(verifyTokenAuthority, async ({ host, payload, salt }) => {
      await held(host);
      return { signed: Buffer.concat([sign(null, payload, authorityKey(host, salt)), payload]) };
    }),
    ...answers(fetchTokenCall, async ({ host, realm, service, scopes }, { signal }) => {
      const login = await held(host);
      if (login.kind === "bearer") return { token: login.token, expiresIn: EXPIRES_IN };
      await checkRealm(host, realm, words, { signal });
      const reference = { registry: host, repository: repositoryIn(scopes), tag: null, digest: null };
      const token = await fetchToken(transport, { realm, service, scopes }, { reference, host }, login, { signal });
      return { token, expiresIn: EXPIRES_IN, issuedAt: Math.floor(Date.now() / 1000) };
    }),
    ...answers(getCredentials, async ({ host }, { signal }) => {
      const login = await credentials.get(host);
      if (login === null || !(await takesPasswords(host, words, { signal }))) return {};
      if (login.kind === "bearer") return {};
      return login.kind === "identity" ? { secret: login.token } : { username: login.username, secret: login.password };
    }),
  };
}

/** A login is shown to nobody but the server that its registry names. @throws {TbuildError} permission_denied */
async function checkRealm(host: string, realm: string, words: RegistryWords, opts: Opts): Promise<void> {
  const server = URL.canParse(realm) ? new URL(realm) : null;
  if (server?.protocol === "https:" && (server.host === host || HUB.get(host) === server.host)) return;
  const named = await words.realms(host, opts);
  if (named !== null && named.includes(realm)) return;
  throw new TbuildError("permission_denied", `Cannot log in to ${host} at "${realm}" for the builder: the registry does not name this server`);
}

/** Known without asking. */
const HUB = new Map([["registry-1.docker.io", "auth.docker.io"], ["docker.io", "auth.docker.io"]]);

/** A registry that this machine cannot ask may be one that only the builder reaches. */
async function takesPasswords(host: string, words: RegistryWords, opts: Opts): Promise<boolean> {
  const realms = await words.realms(host, opts);
  return realms === null || realms.length === 0;
}

function repositoryIn(scopes: readonly string[]): string {
  return /^repository:([^:]+):/.exec(scopes[0] ?? "")?.[1] ?? "";
}

/** An ed25519 key is its seed behind this. Source: RFC 8410. */
const PKCS8 = Buffer.from("302e020100300506032b657004220420", "hex");

/** A key that this process has for a builder, which its salt stands for. Source: BuildKit, session/auth/authprovider. */
function authorityKey(host: string, salt: Uint8Array): KeyObject {
  const key = createHmac("sha256", salt).update(seed).update(host).digest();
  return createPrivateKey({ key: Buffer.concat([PKCS8, key]), format: "der", type: "pkcs8" });
}

const RAW_BYTES = 32;

function rawPublicKey(key: KeyObject): Buffer {
  return createPublicKey(key).export({ format: "der", type: "spki" }).subarray(-RAW_BYTES);
}

import { existsSync, mkdirSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";
import type { Store } from "../../cache/store.js";
import type { HttpTransport } from "../registry/http.js";
import { newName } from "../ops/snapshotStep.js";
import type { AgentSocket, SshAgents } from "../secrets/agents.js";
import type { SecretStore } from "../secrets/secretStore.js";
import type { BringBlob } from "./blob.js";
import type { SourceRequest } from "./source.js";

/** How one repository is reached. */
export interface GitAccess extends AsyncDisposable {
  readonly settings: readonly (readonly [string, string])[];
  readonly env: readonly string[];
  /** What no message may show. */
  readonly secrets: readonly string[];
  /** What to do when the repository lets nobody in. */
  readonly hint: string;
}

/** Where credentials come from. */
export interface GitCredentials {
  readonly store: Store;
  readonly transport: HttpTransport;
  readonly secrets: SecretStore;
  readonly agents: SshAgents;
  /** For bundles. */
  readonly bringBlob: BringBlob;
}

/**
 * Credentials for a repository: for HTTP a token or header from the secrets that the op names, the one of its host first; for
 * ssh the build's agent. Source: BuildKit source/git/source.go
 */
export async function gitAccess(given: GitCredentials, url: string, attrs: SourceRequest["attrs"]): Promise<GitAccess> {
  const none = { settings: [], env: [], secrets: [], [Symbol.asyncDispose]: async () => {} };
  if (/^https?:/.test(url)) {
    const { origin, host } = new URL(url);
    const header = authorization(given.secrets, host, attrs);
    const settings = header === null ? [] : [[`http.${origin}/.extraHeader`, `Authorization: ${header}`] as const];
    return { ...none, settings, secrets: header === null ? [] : secretsIn(header), hint: `Give a token with --secret id=GIT_AUTH_TOKEN,env=VARIABLE, or for this host alone id=GIT_AUTH_TOKEN.${host}` };
  }
  const id = attrs["git.mountsshsock"];
  if (id === undefined) return { ...none, hint: "" };
  const socket = await openAgent(given, id);
  return {
    ...none,
    env: [`GIT_SSH_COMMAND=${sshCommand(given.store, socket)}`, ...(socket === null ? [] : [`SSH_AUTH_SOCK=${socket.path}`])],
    hint: `Give an agent or a key with --ssh ${id}`,
    [Symbol.asyncDispose]: async () => await socket?.[Symbol.asyncDispose](),
  };
}

/** A header, what follows its scheme, and of a basic one the password. */
function secretsIn(header: string): readonly string[] {
  const value = header.slice(header.indexOf(" ") + 1);
  const decoded = Buffer.from(value, "base64").toString("utf8");
  return [header, value, ...(/^basic /i.test(header) ? [decoded.slice(decoded.indexOf(":") + 1)] : [])];
}

/** Value of the header for a host: from the secrets that the attributes name, the one of the host first; null for none. */
export function authorization(secrets: SecretStore, host: string, attrs: SourceRequest["attrs"]): string | null {
  const find = (attr: string): string | null => {
    const name = attrs[attr];
    const value = name === undefined ? null : (secrets.get(`${name}.${host}`) ?? secrets.get(name));
    return value?.toString("utf8").trim() ?? null;
  };
  const token = find("git.authtokensecret");
  return find("git.authheadersecret") ?? (token === null ? null : `basic ${Buffer.from(`x-access-token:${token}`).toString("base64")}`);
}

function openAgent({ store, agents }: GitCredentials, id: string): Promise<AgentSocket | null> {
  const dir = path.join(store.scratch, "ssh");
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  return agents.open(id, { path: path.join(dir, newName()), uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0, mode: 0o600 });
}

/** A host that is known must be the one that it was; one that is not is trusted this once. */
function sshCommand(store: Store, socket: AgentSocket | null): string {
  const own = path.join(homedir(), ".ssh/known_hosts");
  const known = [path.join(store.scratch, "known_hosts"), ...(existsSync(own) ? [own] : [])].join(" ");
  const agent = socket === null ? "none" : socket.path;
  const options = ["BatchMode=yes", "StrictHostKeyChecking=accept-new", `UserKnownHostsFile="${known}"`, `IdentityAgent=${agent}`];
  return ["ssh", "-F", "/dev/null", ...options.flatMap((option) => ["-o", `'${option}'`])].join(" ");
}

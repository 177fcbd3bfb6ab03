import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import type { Opts } from "../../cache/content/store.js";
import { TbuildError } from "../../cache/errors.js";

/** What a registry can be shown. Never part of a message. */
export type Credentials =
  | { readonly kind: "password"; readonly username: string; readonly password: string }
  /** OAuth refresh token. */
  | { readonly kind: "identity"; readonly token: string }
  /** Sent to the registry as it is. */
  | { readonly kind: "bearer"; readonly token: string };

/** Finds credentials by registry host ("docker.io", "localhost:5000"). */
export interface CredentialStore {
  /** Null when there are none, so that the registry is asked anonymously. */
  get(host: string): Promise<Credentials | null>;
  /**
   * A token for a registry, of a store that fetches tokens with logins that it keeps to itself; null when it does not for
   * this registry, so that {@link get} is asked. @throws {TbuildError} unauthorized, unavailable
   */
  token?(request: TokenRequest, opts: Opts): Promise<string | null>;
}

/** What a registry wants a token for. */
export interface TokenRequest {
  /** As in {@link CredentialStore.get}. */
  readonly host: string;
  /** Address of the token server. */
  readonly realm: string;
  readonly service: string;
  /** "repository:library/nginx:pull". */
  readonly scopes: readonly string[];
}

/** What is read and written of config.json. */
export interface DockerConfig {
  readonly auths?: Readonly<Record<string, AuthEntry>>;
  readonly credHelpers?: Readonly<Record<string, string>>;
  readonly credsStore?: string;
}

interface AuthEntry {
  readonly auth?: string;
  readonly username?: string;
  readonly password?: string;
  readonly identitytoken?: string;
  readonly registrytoken?: string;
}

const HUB_KEY = "https://index.docker.io/v1/";

/** Path of Docker's config.json in `dir`, by default $DOCKER_CONFIG, else ~/.docker. */
export function dockerConfigFile(dir?: string): string {
  return path.join(dir ?? (process.env["DOCKER_CONFIG"] || path.join(os.homedir(), ".docker")), "config.json");
}

/** What a registry is called in config.json. */
export function configKey(host: string): string {
  return host === "docker.io" || host === "registry-1.docker.io" ? HUB_KEY : host;
}

/** Credential helper for a registry, "secretservice"; null when config.json itself holds the login. */
export function helperOf({ credHelpers, credsStore }: DockerConfig, host: string): string | null {
  return credHelpers?.[configKey(host)] ?? credHelpers?.[host] ?? (credsStore || null);
}

/**
 * Credentials of Docker's config.json in `dir` (default $DOCKER_CONFIG, else ~/.docker), read anew for each question,
 * since a login may happen while a daemon runs. A credential helper that is not installed counts as having none, because
 * most pulls need no login. @throws {TbuildError} parse_failed when config.json is not JSON
 */
export function dockerCredentials(dir?: string): CredentialStore {
  const file = dockerConfigFile(dir);
  return {
    async get(host) {
      const config = parseDockerConfig(file, await readFile(file, "utf8").catch(() => "{}"));
      const key = configKey(host);
      const helper = helperOf(config, host);
      const held = helper === null ? null : await askHelper(helper, key);
      return held ?? fromEntry(findEntry(config.auths ?? {}, key));
    },
  };
}

/** The text of config.json; whatever else it holds is kept. @throws {TbuildError} parse_failed, without the text */
export function parseDockerConfig(file: string, text: string): DockerConfig {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    // Neither the text nor the parser's message may be shown: both can hold secrets.
    throw new TbuildError("parse_failed", `Cannot parse Docker's configuration "${file}": it is not JSON`);
  }
}

function findEntry(auths: Readonly<Record<string, AuthEntry>>, key: string): AuthEntry | undefined {
  return auths[key] ?? Object.entries(auths).find(([name]) => bareHost(name) === bareHost(key))?.[1];
}

function bareHost(key: string): string {
  return key.replace(/^https?:\/\//, "").replace(/\/.*$/, "");
}

function fromEntry(entry: AuthEntry | undefined): Credentials | null {
  if (entry === undefined) return null;
  if (entry.registrytoken) return { kind: "bearer", token: entry.registrytoken };
  if (entry.identitytoken) return { kind: "identity", token: entry.identitytoken };
  const decoded = Buffer.from(entry.auth ?? "", "base64").toString("utf8").replace(/\0+$/, "");
  const colon = decoded.indexOf(":");
  const username = colon > 0 ? decoded.slice(0, colon) : entry.username;
  const password = colon > 0 ? decoded.slice(colon + 1) : entry.password;
  return username === undefined || password === undefined ? null : { kind: "password", username, password };
}

async function askHelper(helper: string, key: string): Promise<Credentials | null> {
  const output = await runHelper(helper, "get", key);
  const answer = output === null ? null : parseAnswer(output);
  if (answer === null || !answer.Secret) return null;
  if (answer.Username === "<token>") return { kind: "identity", token: answer.Secret };
  return { kind: "password", username: answer.Username ?? "", password: answer.Secret };
}

/**
 * Runs `docker-credential-<helper> <verb>` and returns what it printed; null when it failed or is not installed. Source:
 * docker-credential-helpers, README "Development". @throws {TbuildError} invalid_argument
 */
export async function runHelper(helper: string, verb: "get" | "store" | "erase", input: string): Promise<string | null> {
  if (!/^[\w.-]+$/.test(helper)) throw new TbuildError(
    "invalid_argument",
    `Cannot use credential helper "${helper}": not a plain name`,
  );
  return await new Promise<string | null>((resolve) => {
    const child = execFile(
      `docker-credential-${helper}`,
      [verb],
      { timeout: 30_000 },
      (error, stdout) => resolve(error ? null : stdout),
    );
    child.stdin?.on("error", () => {}); // a helper that fails at once does not read its question
    child.stdin?.end(input);
  });
}

function parseAnswer(text: string): { readonly Username?: string; readonly Secret?: string } | null {
  try {
    return JSON.parse(text) as { Username?: string; Secret?: string };
  } catch {
    return null;
  }
}

import { text } from "node:stream/consumers";
import { cancelled, TbuildError } from "../../cache/errors.js";
import { spawnProcess } from "../../cache/sys/process.js";
import { redacted } from "../../frontend/dockerfile/gitUrl.js";

/** What a git command may see and do. */
export interface GitOptions {
  readonly cwd: string;
  /** Protocols that may be spoken, "http:https:git:ssh". */
  readonly protocols: string;
  /** Settings of this command alone; they are in its environment, where other users cannot read them. */
  readonly settings: readonly (readonly [key: string, value: string])[];
  /** Further variables, `NAME=value`. */
  readonly env: readonly string[];
  readonly signal: AbortSignal;
}

/** A repository runs no program of its own here, and nobody is asked for anything. */
const SAFE_SETTINGS = [
  ["core.hooksPath", "/dev/null"],
  ["core.fsmonitor", "false"],
  ["credential.helper", ""],
  ["protocol.ext.allow", "never"],
  ["safe.directory", "*"],
  ["advice.detachedHead", "false"],
  ["init.defaultBranch", "main"],
  ["gc.auto", "0"],
  ["uploadpack.allowAnySHA1InWant", "true"],
] as const;

/**
 * Runs git and returns what it prints. Settings of the machine and of the user do not count; files get the modes of umask
 * 022. The whole process group is ended when the signal fires. @throws {TbuildError} cancelled, unavailable; see
 * {@link gitError} for what a failed command is
 */
export async function runGit(args: readonly string[], options: GitOptions): Promise<string> {
  if (options.signal.aborted) throw cancelled(options.signal);
  const argv = ["/bin/sh", "-c", 'umask 022 && exec git "$@"', "git", ...args];
  const child = spawnProcess({ argv, env: environment(options), cwd: options.cwd, stdout: "pipe", stderr: "pipe", setsid: true });
  const kill = () => killGroup(child.pid);
  options.signal.addEventListener("abort", kill);
  try {
    const [stdout, stderr, { exitCode }] = await Promise.all([text(child.stdout!), text(child.stderr!), child.exited]);
    if (options.signal.aborted) throw cancelled(options.signal);
    if (exitCode === 127) throw new TbuildError("unavailable", "Cannot read a Git repository: git is not installed", { hint: "Install git" });
    if (exitCode !== 0) throw new GitFailure(stderr);
    return stdout;
  } finally {
    options.signal.removeEventListener("abort", kill);
  }
}

/** A git command that failed: what it said. */
export class GitFailure extends Error {}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It has ended already.
  }
}

/** How this machine reaches others. */
const PROXIES = ["http_proxy", "https_proxy", "no_proxy", "all_proxy"];
const KEPT = ["GIT_SSL_CAINFO", "GIT_SSL_CAPATH", ...PROXIES, ...PROXIES.map((name) => name.toUpperCase())];

function environment({ protocols, settings, env, cwd }: GitOptions): readonly string[] {
  const all = [...SAFE_SETTINGS, ...settings];
  return [
    `PATH=${process.env["PATH"] ?? "/usr/bin:/bin"}`,
    `HOME=${cwd}`,
    "LC_ALL=C",
    "GIT_CONFIG_NOSYSTEM=1",
    "GIT_CONFIG_GLOBAL=/dev/null",
    "GIT_TERMINAL_PROMPT=0",
    "GIT_ASKPASS=/bin/false",
    `GIT_ALLOW_PROTOCOL=${protocols}`,
    ...KEPT.flatMap((name) => (process.env[name] === undefined ? [] : [`${name}=${process.env[name]}`])),
    `GIT_CONFIG_COUNT=${all.length}`,
    ...all.flatMap(([key, value], index) => [`GIT_CONFIG_KEY_${index}=${key}`, `GIT_CONFIG_VALUE_${index}=${value}`]),
    ...env,
  ];
}

/**
 * The error that a failure with the repository at `url` is for the user. Never holds credentials: a server that repeats
 * `secrets`, or the URL's own, is not shown with them.
 */
export function gitError(error: unknown, url: string, hint: string, secrets: readonly string[]): unknown {
  if (!(error instanceof GitFailure)) return error;
  const lines = concealed(error.message, [...secrets, ...secretsIn(url)]).split("\n");
  const said = lines.filter((line) => /^(?:fatal|error|ssh|remote|Permission|Host key)/.test(line));
  // Of ssh's own words the last ones, of git's, say the least.
  const ssh = lines.find((line) => /Permission denied \(|^ssh: |Host key verification failed/.test(line));
  const shown = redacted(url);
  const why = (ssh ?? said.at(-1) ?? lines.findLast((line) => line.trim() !== "") ?? "").replace(/^(?:fatal|error): /, "");
  const message = `Cannot read the Git repository "${shown}": ${why}`;
  if (/Authentication failed|could not read (?:Username|Password)|Permission denied|\b40[13]\b/.test(error.message)) {
    return new TbuildError("unauthorized", message, { hint });
  }
  const gone = /not found|does not appear to be|not exported|no such|\b404\b/i.test(error.message);
  return new TbuildError(gone ? "not_found" : "unavailable", message);
}

function concealed(text: string, secrets: readonly string[]): string {
  return secrets.reduce((left, secret) => (secret === "" ? left : left.replaceAll(secret, "***")), text);
}

/** Shorter user names are words that a message may well hold. */
const TOKEN_LENGTH = 8;

/** What a URL has before its host, as written and as it is sent: a password, or a token in the place of the user. */
function secretsIn(url: string): readonly string[] {
  const [, user, password] = /^(?:https?|git|ssh):\/\/([^/?#@:]*)(?::([^/?#]*))?@/i.exec(url) ?? [];
  if (user === undefined || (password === undefined && /^ssh:/i.test(url))) return [];
  const login = [user, password ?? ""].map(decoded).join(":");
  const secret = password ?? (user.length < TOKEN_LENGTH ? `${user}@` : user);
  return [Buffer.from(login).toString("base64"), login, secret, decoded(secret)];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

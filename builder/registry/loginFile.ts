import { randomUUID } from "node:crypto";
import { mkdir, readFile, realpath, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { TbuildError } from "../../cache/errors.js";
import { configKey, type DockerConfig, dockerConfigFile, helperOf, parseDockerConfig, runHelper } from "./credentials.js";

/** Where a login is kept now. */
export type LoginPlace = { readonly kind: "file"; readonly path: string } | { readonly kind: "helper"; readonly name: string };

/**
 * Keeps a login where Docker would: with the credential helper that config.json names, else in config.json itself, which
 * only its owner can read. `dir` as for `dockerCredentials`. @throws {TbuildError} parse_failed, permission_denied, unavailable
 */
export async function saveLogin(registry: string, username: string, password: string, dir?: string): Promise<LoginPlace> {
  const file = dockerConfigFile(dir);
  const config = await readConfig(file);
  const key = configKey(registry);
  const helper = helperOf(config, registry);
  if (helper !== null) {
    const stored = await runHelper(helper, "store", JSON.stringify({ ServerURL: key, Username: username, Secret: password }));
    if (stored === null) throw helperFailed(helper, "keep");
  }
  const entry = helper === null ? { auth: Buffer.from(`${username}:${password}`).toString("base64") } : {};
  await writeConfig(file, { ...config, auths: { ...config.auths, [key]: entry } });
  return helper === null ? { kind: "file", path: file } : { kind: "helper", name: helper };
}

/** Forgets a login; false when there was none. @throws {TbuildError} as {@link saveLogin} */
export async function removeLogin(registry: string, dir?: string): Promise<boolean> {
  const file = dockerConfigFile(dir);
  const config = await readConfig(file);
  const key = configKey(registry);
  const helper = helperOf(config, registry);
  const { [key]: entry, ...others } = config.auths ?? {};
  if (helper !== null && (await runHelper(helper, "get", key)) !== null) {
    if ((await runHelper(helper, "erase", key)) === null) throw helperFailed(helper, "forget");
  } else if (entry === undefined) return false;
  if (entry !== undefined) await writeConfig(file, { ...config, auths: others });
  return true;
}

async function readConfig(file: string): Promise<DockerConfig> {
  try {
    return parseDockerConfig(file, await readFile(file, "utf8"));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return {};
    throw fileError(error, "read", file);
  }
}

/** The file appears complete or not at all, under the name that a link stands for. */
async function writeConfig(file: string, config: DockerConfig): Promise<void> {
  const target = await realpath(file).catch(() => file);
  const temporary = `${target}.${randomUUID()}.tmp`;
  try {
    await mkdir(path.dirname(target), { recursive: true, mode: 0o700 });
    await writeFile(temporary, `${JSON.stringify(config, null, "\t")}\n`, { mode: 0o600, flag: "wx", flush: true });
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {}); // the first error tells more
    throw fileError(error, "write", file);
  }
}

function fileError(error: unknown, doing: "read" | "write", file: string): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code === undefined || error instanceof TbuildError) return error;
  return new TbuildError("permission_denied", `Cannot ${doing} "${file}": ${code}`, { cause: error });
}

/** What the helper says may hold the secret, and is not shown. */
function helperFailed(helper: string, doing: "keep" | "forget"): TbuildError {
  return new TbuildError("unavailable", `Cannot ${doing} the login: credential helper "docker-credential-${helper}" failed`, {
    hint: "Install it, or take it out of credsStore and credHelpers in Docker's config.json",
  });
}

import { loadConfig } from "../../builder/config.js";
import { checkLogin } from "../../builder/registry/login.js";
import { removeLogin, saveLogin } from "../../builder/registry/loginFile.js";
import { isTbuildError } from "../../cache/errors.js";
import { parseReference } from "../../cache/oci/reference.js";
import type { LoginArgs, LogoutArgs } from "../args/login.js";
import { askHidden, askLine } from "../prompt.js";
import type { Terminal } from "../terminal.js";
import { usage } from "../usage.js";

/**
 * `tbuild login` and `tbuild logout`. Returns what is to be printed, which is never a password.
 * @throws {TbuildError} usage, unauthorized, unavailable, parse_failed, permission_denied, cancelled
 */
export async function loginCommand(args: LoginArgs | LogoutArgs, terminal: Terminal): Promise<string> {
  const registry = registryOf(args.registry ?? "docker.io");
  if (args.command === "logout") {
    return (await removeLogin(registry)) ? `Removed the login to ${registry}\n` : `Not logged in to ${registry}\n`;
  }
  const { registries } = await loadConfig(args.config);
  const { username, password } = await ask(args, terminal);
  await checkLogin(registry, { kind: "password", username, password }, registries);
  const place = await saveLogin(registry, username, password);
  const where = place.kind === "file" ? place.path : `docker-credential-${place.name}`;
  return `Login to ${registry} succeeded; kept in ${where}\n`;
}

const HUB = new Set(["docker.io", "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com"]);

/** Host of "https://host/v1/" or "host:port". The text is not repeated: it may hold a password. */
function registryOf(text: string): string {
  const host = /^(?:https?:\/\/)?([^/]+)(?:\/.*)?$/.exec(text)?.[1] ?? "";
  if (HUB.has(host)) return "docker.io";
  try {
    // A name without dots and port is a host only where we know that it is one.
    parseReference(`${host.includes(":") ? host : `${host}:443`}/x`);
    return host;
  } catch (error) {
    if (!isTbuildError(error)) throw error;
    throw usage("Cannot read the name of the registry", "Write HOST or HOST:PORT, such as registry.example.com");
  }
}

async function ask({ username, passwordStdin }: LoginArgs, terminal: Terminal): Promise<{ readonly username: string; readonly password: string }> {
  if (passwordStdin) {
    if (username === undefined) throw usage("--password-stdin needs a user name", "Give it with -u NAME");
    return { username, password: given(await standardInput()) };
  }
  if (!process.stdin.isTTY) {
    throw usage("Cannot ask for a password: standard input is no terminal", "Pipe the password in, with -u NAME --password-stdin");
  }
  const name = username ?? (await askLine("User name: ", terminal)).trim();
  if (name === "") throw usage("The user name is empty", "Give it with -u NAME");
  return { username: name, password: given(await askHidden("Password: ", terminal)) };
}

function given(password: string): string {
  if (password === "") throw usage("The password is empty", "Nothing was changed");
  return password;
}

/** All of it, without the line's end that `echo` adds. */
async function standardInput(): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8").replace(/\r?\n$/, "");
}

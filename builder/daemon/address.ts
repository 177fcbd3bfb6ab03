import { TbuildError } from "../../cache/errors.js";

/** Where a daemon listens. */
export type ListenAddress =
  | { readonly kind: "unix"; readonly path: string }
  | { readonly kind: "tcp"; readonly host: string; readonly port: number }
  /** A socket that systemd has opened. */
  | { readonly kind: "fd"; readonly fd: number };

/** The first socket that systemd passes on. Source: sd_listen_fds(3). */
const FIRST_FD = 3;

const FORMS = "Write unix:///path, tcp://host:port or fd://";

/** Reads `unix:///path`, `tcp://host:port`, `fd://` or `fd://3`. @throws {TbuildError} invalid_argument */
export function parseAddress(text: string): ListenAddress {
  const [, scheme, rest = ""] = /^([a-z]+):\/\/(.*)$/s.exec(text) ?? [];
  if (scheme === undefined) throw refused(text, `it names no protocol; did you mean "unix://${text}"?`);
  if (scheme === "unix") return { kind: "unix", path: pathIn(text, rest) };
  if (scheme === "tcp") return { kind: "tcp", ...hostAndPort(text, rest) };
  if (scheme === "fd") return { kind: "fd", fd: fdIn(text, rest) };
  throw refused(text, `protocol "${scheme}" is not supported`);
}

function pathIn(text: string, path: string): string {
  if (!path.startsWith("/")) throw refused(text, "the path of a socket must be absolute");
  return path;
}

function hostAndPort(text: string, rest: string): { readonly host: string; readonly port: number } {
  const [, host, port] = /^(.*):(\d{1,5})$/.exec(rest) ?? [];
  if (host === undefined || Number(port) > 65_535) throw refused(text, "it is no host:port");
  return { host: host.replace(/^\[(.*)\]$/, "$1"), port: Number(port) };
}

function fdIn(text: string, rest: string): number {
  if (!/^\d*$/.test(rest)) throw refused(text, "sockets of systemd are named by number");
  return rest === "" ? FIRST_FD : Number(rest);
}

function refused(text: string, why: string): TbuildError {
  return new TbuildError("invalid_argument", `Cannot listen on "${text}": ${why}`, { hint: FORMS });
}

/**
 * Refuses a descriptor that systemd has not passed to this process. `env` is the process's environment.
 * @throws {TbuildError} unavailable. Source: sd_listen_fds(3)
 */
export function checkPassed(fd: number, env: NodeJS.ProcessEnv): void {
  const count = env["LISTEN_PID"] === String(process.pid) ? Number(env["LISTEN_FDS"] ?? 0) : 0;
  if (fd >= FIRST_FD && fd < FIRST_FD + count) return;
  throw new TbuildError("unavailable", `Cannot listen on "fd://${fd}": systemd has passed ${count} sockets to this process`, {
    hint: "Start tbuildd through its .socket unit",
  });
}

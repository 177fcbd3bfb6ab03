import type { Duplex } from "node:stream";
import { TbuildError } from "../../cache/errors.js";

/** Where a builder is. */
export type BuilderAddress =
  | { readonly kind: "unix"; readonly path: string }
  | { readonly kind: "tcp"; readonly host: string; readonly port: number }
  /** In this process. */
  | { readonly kind: "own"; open(): Duplex }
  /** A program whose standard streams lead to the builder. */
  | { readonly kind: "program"; readonly command: readonly [string, ...string[]] };

const FORMS = "Write unix:///PATH, tcp://HOST:PORT, ssh://[USER@]HOST[:PORT], or docker-container://NAME";
/** BuildKit's own port. */
const DEFAULT_PORT = 1234;

/**
 * Reads `unix:///path`, `tcp://host:port`, `ssh://user@host:port/socket` (which runs `tbuild dial-stdio` there, or buildctl where there
 * is no tbuild), `docker-container://name` and the same of podman and nerdctl. @throws {TbuildError} usage
 */
export function parseBuilderAddress(text: string): BuilderAddress {
  const [, scheme, rest = ""] = /^([a-z-]+):\/\/(.+)$/s.exec(text) ?? [];
  switch (scheme) {
    case "unix":
      if (!rest.startsWith("/")) throw refused(text, "the path of a socket must be absolute");
      return { kind: "unix", path: rest };
    case "tcp":
      return tcpAddress(text, rest);
    case "ssh":
      return sshAddress(text);
    case "docker-container":
    case "podman-container":
    case "nerdctl-container":
      if (!/^[\w][\w.-]*$/.test(rest)) throw refused(text, `"${rest}" is no name of a container`);
      return { kind: "program", command: [scheme.replace("-container", ""), "exec", "-i", rest, "buildctl", "dial-stdio"] };
    default:
      throw refused(text, scheme === undefined ? "it names no protocol" : `protocol "${scheme}" is not supported`);
  }
}

function tcpAddress(text: string, rest: string): BuilderAddress {
  const [, host = "", port] = /^(\[[^\]]+\]|[^:/]+)(?::(\d{1,5}))?$/.exec(rest) ?? [];
  if (host === "" || Number(port ?? DEFAULT_PORT) > 65_535) throw refused(text, "it is no host:port");
  return { kind: "tcp", host: host.replace(/^\[(.*)\]$/, "$1"), port: Number(port ?? DEFAULT_PORT) };
}

/** Runs in a shell on the other machine. The path of another socket may stand behind the host. */
function sshAddress(text: string): BuilderAddress {
  if (!URL.canParse(text)) throw refused(text, "it is no [USER@]HOST[:PORT]");
  const { username, hostname, port, pathname, password } = new URL(text);
  if (password !== "") throw refused(text, "a password in it would be seen by others");
  // A name that begins with a dash would be an option of ssh.
  if (!/^[\w[][\w.:%\][-]*$/.test(hostname) || !/^[\w.-]*$/.test(username)) throw refused(text, "it is no [USER@]HOST[:PORT]");
  if (!/^[\w./-]*$/.test(pathname)) throw refused(text, `"${pathname}" is no plain path`);
  const socket = pathname === "" || pathname === "/" ? "" : ` --addr unix://${pathname}`;
  const remote = `if command -v tbuild >/dev/null; then exec tbuild dial-stdio${socket}; else exec buildctl${socket} dial-stdio; fi`;
  const user = username === "" ? [] : ["-l", username];
  return { kind: "program", command: ["ssh", "-T", ...user, ...(port === "" ? [] : ["-p", port]), "--", hostname.replace(/^\[(.*)\]$/, "$1"), remote] };
}

function refused(text: string, why: string): TbuildError {
  return new TbuildError("usage", `Cannot use the builder "${text}": ${why}`, { hint: FORMS });
}

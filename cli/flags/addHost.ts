import { isIP } from "node:net";
import { usage } from "../usage.js";

/** A line of /etc/hosts. */
export interface ExtraHost {
  readonly host: string;
  /** An address, or "host-gateway" for the address of the machine that builds. */
  readonly ip: string;
}

/** `--add-host NAME:IP`. @throws {TbuildError} usage */
export function parseAddHost(text: string): ExtraHost {
  const [, host = "", address = ""] = /^([^:=]+)[:=](.+)$/.exec(text) ?? [];
  if (host === "") throw usage(`Cannot read --add-host "${text}"`, "Write --add-host NAME:IP");
  const ip = address.replace(/^\[(.*)\]$/, "$1");
  if (ip !== "host-gateway" && isIP(ip) === 0) {
    throw usage(`Cannot use "${address}" for --add-host ${host}: it is no IP address`, "Write --add-host NAME:IP, or NAME:host-gateway");
  }
  return { host, ip };
}

import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { TbuildError } from "../../cache/errors.js";

/** Files for TLS to a builder, as buildctl names them. */
export interface TlsFiles {
  readonly caCert?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly serverName?: string | undefined;
  /** A directory of ca.pem, cert.pem and key.pem, or of ca.crt, tls.crt and tls.key. */
  readonly dir?: string | undefined;
}

/** PEM texts, where there are some. */
export interface TlsTexts {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly serverName?: string;
}

/** What the files hold; null when none is named: then there is no TLS. @throws {TbuildError} usage, not_found */
export function readTlsFiles(given: TlsFiles): TlsTexts | null {
  const { dir, serverName, caCert, cert, key } = given;
  if (dir !== undefined && [caCert, cert, key].some((file) => file !== undefined)) {
    throw new TbuildError("usage", "Cannot use --tlsdir with --tlscacert, --tlscert or --tlskey: it stands for them");
  }
  const files = dir === undefined ? { caCert, cert, key } : inDirectory(dir);
  if ((files.cert === undefined) !== (files.key === undefined)) {
    throw new TbuildError("usage", "Cannot use a client certificate without its key", { hint: "Give both --tlscert and --tlskey" });
  }
  if (Object.values(files).every((file) => file === undefined) && serverName === undefined) return null;
  return {
    ...(files.caCert === undefined ? {} : { ca: read(files.caCert, "--tlscacert") }),
    ...(files.cert === undefined ? {} : { cert: read(files.cert, "--tlscert") }),
    ...(files.key === undefined ? {} : { key: read(files.key, "--tlskey") }),
    ...(serverName === undefined ? {} : { serverName }),
  };
}

/** Names of files in a directory: those of BuildKit's documentation, and those of secrets of Kubernetes. */
const NAMES = [["ca.pem", "cert.pem", "key.pem"], ["ca.crt", "tls.crt", "tls.key"]] as const;

function inDirectory(dir: string): { readonly caCert: string; readonly cert: string; readonly key: string } {
  for (const [ca, cert, key] of NAMES) {
    const found = { caCert: path.join(dir, ca), cert: path.join(dir, cert), key: path.join(dir, key) };
    if (Object.values(found).every((file) => existsSync(file))) return found;
  }
  throw new TbuildError("not_found", `Cannot use "${dir}" as --tlsdir: it has neither ${NAMES.map((names) => names.join(", ")).join(" nor ")}`);
}

function read(file: string, flag: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    throw new TbuildError("not_found", `Cannot read "${file}" for ${flag}: ${code ?? (error as Error).message}`, { cause: error });
  }
}

import { spawn } from "node:child_process";
import net from "node:net";
import { Duplex } from "node:stream";
import type { Opts } from "../../cache/content/store.js";
import { cancelled, TbuildError } from "../../cache/errors.js";
import type { BuilderAddress } from "./address.js";
import type { TlsTexts } from "./tlsFiles.js";

/** A builder as the user names it, and how to trust it. */
export interface BuilderPlace {
  readonly address: BuilderAddress;
  /** The words for {@link address}. */
  readonly shown: string;
  readonly tls: TlsTexts | null;
}

const TIMEOUT_MS = 20_000;

/** A stream of bytes to a builder. @throws {TbuildError} unavailable, unauthorized when a certificate is refused, cancelled */
export async function connect(place: BuilderPlace, opts: Opts): Promise<Duplex> {
  const { address } = place;
  if (opts.signal?.aborted === true) throw cancelled(opts.signal);
  switch (address.kind) {
    case "unix":
      return await opened(place, net.connect({ path: address.path }), "connect", opts);
    case "tcp":
      return place.tls === null ? await opened(place, net.connect(address), "connect", opts) : await openTls(place, address, place.tls, opts);
    case "own":
      return address.open();
    case "program":
      return runProgram(address.command, place.shown);
  }
}

async function openTls(place: BuilderPlace, { host, port }: { readonly host: string; readonly port: number }, tls: TlsTexts, opts: Opts): Promise<Duplex> {
  const { connect: connectTls } = await import("node:tls");
  const { ca, cert, key, serverName = host } = tls;
  const names = net.isIP(serverName) === 0 ? { servername: serverName } : {};
  const trust = { ...(ca === undefined ? {} : { ca }), ...(cert === undefined ? {} : { cert }), ...(key === undefined ? {} : { key }) };
  const options = { host, port, ALPNProtocols: ["h2"], ...names, ...trust, minVersion: "TLSv1.2" as const };
  return await opened(place, connectTls(options), "secureConnect", opts);
}

async function opened(place: BuilderPlace, socket: net.Socket, event: string, { signal }: Opts): Promise<Duplex> {
  const late = setTimeout(() => socket.destroy(new Error(`no answer within ${TIMEOUT_MS / 1000} s`)), TIMEOUT_MS);
  const onAbort = () => void socket.destroy(cancelled(signal));
  signal?.addEventListener("abort", onAbort);
  try {
    await new Promise<void>((resolve, reject) => socket.once(event, resolve).once("error", reject));
    // A peer that has lost its power says nothing.
    return socket.setNoDelay(true).setKeepAlive(true, 15_000);
  } catch (error) {
    throw signal?.aborted === true ? cancelled(signal) : unreachable(place, error as NodeJS.ErrnoException);
  } finally {
    clearTimeout(late);
    signal?.removeEventListener("abort", onAbort);
  }
}

function unreachable({ shown, tls }: BuilderPlace, error: NodeJS.ErrnoException): TbuildError {
  const code = error.code ?? "";
  const untrusted = /CERT|SIGNED|ISSUER|ALTNAME|TLS|SSL/.test(code);
  return new TbuildError(untrusted ? "unauthorized" : "unavailable", `Cannot reach the builder "${shown}": ${code === "" ? error.message : `${error.message} (${code})`}`, {
    cause: error,
    hint: untrusted ? "Name its authority with --tlscacert, your certificate with --tlscert and --tlskey, its name with --tlsservername" : hintOf(code, tls),
  });
}

function hintOf(code: string, tls: TlsTexts | null): string {
  if (code === "ENOENT" || code === "ECONNREFUSED") return "Start it: tbuildd --addr ADDRESS";
  return tls === null ? "A builder that wants TLS needs --tlscacert, --tlscert and --tlskey" : "Is the address right, and the builder running?";
}

/** The stream ends when the program has: only then it is known why. */
function runProgram([program, ...words]: readonly [string, ...string[]], shown: string): Duplex {
  const child = spawn(program, words, { stdio: ["pipe", "pipe", "pipe"] });
  const stream = new Duplex({
    read: () => void child.stdout.resume(),
    write: (chunk: Buffer, _encoding, done) => void child.stdin.write(chunk, () => done()),
    final: (done) => void child.stdin.end(() => done()),
  });
  child.stdout.on("data", (chunk: Buffer) => {
    if (!stream.push(chunk)) child.stdout.pause();
  });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (said = (said + text).slice(-2_000)));
  child.stdin.on("error", () => {});
  const fail = (why: string): void =>
    void stream.destroy(new TbuildError("unavailable", `Cannot reach the builder "${shown}": ${why}`, { hint: `It is reached by: ${[program, ...words].join(" ")}` }));
  child.on("error", (error) => fail(error.message));
  child.on("close", (status) => (status === 0 && said === "" ? void stream.push(null) : fail(said.trim() || `${program} ended with status ${status}`)));
  stream.on("close", () => void child.kill());
  return stream;
}

import { connect } from "node:net";
import type { IncomingMessage, RequestOptions } from "node:http";
import http from "node:http";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { cancelled, TbuildError } from "../../cache/errors.js";
import type { Opts } from "../../cache/content/store.js";
import { type Digest, isDigest } from "../../cache/oci/digest.js";

/** A running Docker engine. Source: Docker Engine API, v1.41 */
export interface Engine {
  /** "unix:///var/run/docker.sock". */
  readonly host: string;
  /** Does nothing. @throws {TbuildError} unavailable when it does not answer */
  ping(opts: Opts): Promise<void>;
  /** Diff IDs of each image that it has, base first. */
  imageLayers(opts: Opts): Promise<readonly (readonly Digest[])[]>;
  /** True when it has an image of this ID. */
  hasImage(id: Digest, opts: Opts): Promise<boolean>;
  /** Sends it an archive. @throws {TbuildError} unavailable with what the engine says */
  load(archive: Readable, opts: Opts): Promise<void>;
}

const DEFAULT_SOCKET = "/var/run/docker.sock";

/** The engine of `$DOCKER_HOST`, else that of the usual socket; null when there is none. @throws {TbuildError} unsupported, unavailable */
export async function findEngine(env: NodeJS.ProcessEnv = process.env): Promise<Engine | null> {
  const named = env["DOCKER_HOST"] ?? "";
  if (named !== "") return createEngine(named);
  return (await answers(DEFAULT_SOCKET)) ? createEngine(`unix://${DEFAULT_SOCKET}`) : null;
}

function answers(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = connect(socket, () => resolve(true)).once("error", () => resolve(false));
    connection.once("connect", () => connection.destroy());
  });
}

/** An engine at `unix://PATH` or `tcp://HOST:PORT`. @throws {TbuildError} unsupported */
export function createEngine(host: string): Engine {
  const at = placeOf(host);
  const ask = (method: string, path: string, opts: Opts, body?: Readable) => request(host, { ...at, method, path }, opts, body);
  return {
    host,
    async ping(opts) {
      (await done(host, ask("GET", "/_ping", opts))).resume();
    },
    async imageLayers(opts) {
      const images = JSON.parse(await text(await done(host, ask("GET", "/images/json", opts)))) as readonly { readonly Id: string }[];
      const found = await Promise.all(images.map(async ({ Id }) => await layersOf(await ask("GET", `/images/${Id}/json`, opts))));
      return found.filter((layers) => layers.length > 0);
    },
    async hasImage(id, opts) {
      const answer = await ask("GET", `/images/${id}/json`, opts);
      answer.resume();
      return answer.statusCode === 200;
    },
    async load(archive, opts) {
      const said = await text(await done(host, ask("POST", "/images/load?quiet=1", opts, archive)));
      const error = /"error":"((?:[^"\\]|\\.)*)"/.exec(said)?.[1];
      if (error !== undefined) throw refused(host, JSON.parse(`"${error}"`) as string);
    },
  };
}

function placeOf(host: string): Pick<RequestOptions, "socketPath" | "host" | "port"> {
  const [, scheme, rest = ""] = /^(\w+):\/\/(.*)$/.exec(host) ?? [];
  if (scheme === "unix") return { socketPath: rest };
  const [, name, port] = /^([^/:]+|\[[^\]]+\]):(\d+)\/?$/.exec(rest) ?? [];
  if ((scheme === "tcp" || scheme === "http") && name !== undefined) return { host: name.replace(/^\[|\]$/g, ""), port: Number(port) };
  throw new TbuildError("unsupported", `Cannot use the Docker engine at "${host}"`, { hint: "DOCKER_HOST may be unix://PATH or tcp://HOST:PORT" });
}

function request(host: string, options: RequestOptions, { signal }: Opts, body?: Readable): Promise<IncomingMessage> {
  if (signal?.aborted) throw cancelled(signal);
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { "content-type": "application/x-tar" };
    const outgoing = http.request({ ...options, headers, ...(signal ? { signal } : {}) }, resolve);
    outgoing.on("error", (cause) => {
      body?.destroy();
      reject(signal?.aborted ? cancelled(signal) : unreachable(host, cause));
    });
    if (body === undefined) outgoing.end();
    else body.on("error", (error) => outgoing.destroy(error)).pipe(outgoing);
  });
}

function unreachable(host: string, cause: Error): TbuildError {
  return new TbuildError("unavailable", `Cannot reach the Docker engine at "${host}": ${cause.message}`, { cause });
}

async function done(host: string, answering: Promise<IncomingMessage>): Promise<IncomingMessage> {
  const answer = await answering;
  if (answer.statusCode === 200) return answer;
  throw refused(host, messageIn(await text(answer)) ?? `it answered ${answer.statusCode}`);
}

function refused(host: string, reason: string): TbuildError {
  return new TbuildError("unavailable", `Cannot load the image into the Docker engine at "${host}": ${reason}`);
}

function messageIn(body: string): string | null {
  try {
    const { message } = JSON.parse(body) as { readonly message?: unknown };
    return typeof message === "string" ? message : null;
  } catch {
    return null;
  }
}

/** Of an image that was removed meanwhile there are none. */
async function layersOf(answer: IncomingMessage): Promise<readonly Digest[]> {
  const body = await text(answer);
  if (answer.statusCode !== 200) return [];
  const { RootFS } = JSON.parse(body) as { readonly RootFS?: { readonly Layers?: readonly string[] | null } };
  return (RootFS?.Layers ?? []).filter(isDigest);
}

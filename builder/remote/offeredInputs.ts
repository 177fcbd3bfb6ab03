import { createHash } from "node:crypto";
import { mkdirSync, statSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import path from "node:path";
import type { Store } from "../../cache/store.js";
import type { Digest } from "../../cache/oci/digest.js";
import { newName } from "../ops/snapshotStep.js";
import { openDirectory } from "../context/openContext.js";
import { parseMainContext } from "../context/mainContext.js";
import { refuseTwice, type Stdin, stdinFile } from "../context/stdinFile.js";
import { FILE } from "../context/steps.js";
import { dockerfilePath } from "../dockerfilePath.js";
import { buildEpoch } from "../epoch.js";
import { readIgnoreFile } from "../ignoreFile.js";
import { readNamedContexts } from "../namedContexts.js";
import type { HttpTransport } from "../registry/http.js";
import { readBody } from "../registry/http.js";
import type { SourcePolicy } from "../policy/policy.js";
import { requestPolicy } from "../policy/requestPolicy.js";
import type { BuildRequest } from "../request.js";
import { findInLayout } from "../source/layoutClient.js";
import { nameIn } from "../textFile.js";
import type { FrontendAttrs } from "./frontendAttrs.js";
import { redacted } from "../../frontend/dockerfile/gitUrl.js";
import { TbuildError } from "../../cache/errors.js";
import { type OfferedDirectory, someFiles } from "./session/directories.js";
import type { BlobReader } from "./session/contentStores.js";
import { layoutReader } from "./layoutReader.js";

/** What a build reads of this machine, and how its builder is told of it. */
export interface OfferedInputs {
  readonly attrs: FrontendAttrs;
  readonly directories: ReadonlyMap<string, OfferedDirectory>;
  /** Layouts of images, by the name of their content store. */
  readonly layouts: ReadonlyMap<string, BlobReader>;
  /** Standard input, to be read once; null when the build reads none. */
  readonly upload: { readonly id: string; readonly stdin: Stdin } | null;
  /** Equal for builds of one directory, so that the builder sends for what has changed. */
  readonly sharedKey: string;
  /** The time that the result's own files carry, in seconds; null: the base image's; "context": that of what is fetched. */
  readonly epoch: number | null | "context";
  /** The name that the user has for a file of the builder's. */
  fileOf(name: string): string;
}

/** What {@link offerInputs} works with. */
export interface InputDeps {
  readonly store: Store;
  readonly transport: HttpTransport;
  readonly signal: AbortSignal;
}

/** Looks at what the request names. @throws {TbuildError} not_found, permission_denied, invalid_argument, unsupported */
export async function offerInputs(request: BuildRequest, deps: InputDeps): Promise<OfferedInputs> {
  refuseTwice(request);
  const context = contextOf(request);
  const dockerfile = await dockerfileOf(request, context, deps);
  const named = namedOf(request);
  const root = context.directory?.path ?? null;
  const ignoreFile = root === null ? null : readIgnoreFile([...(dockerfile.file === null ? [] : [`${dockerfile.file}.dockerignore`]), path.join(root, ".dockerignore")], root);
  // The builder reads the ignore file itself.
  const main = root === null ? [] : [["context", { path: root, ignore: [...(ignoreFile?.rules ?? []), ...(ignoreFile === null ? [] : ["!.dockerignore"])] }] as const];
  const epoch = await buildEpoch({ context: root ?? "/", contextTime: root === null ? null : "head" }, request.buildArgs ?? {});
  return {
    attrs: { ...context.attrs, ...dockerfile.attrs, ...named.attrs },
    directories: new Map([...main, ...dockerfile.directories, ...named.directories]),
    layouts: named.layouts,
    upload: context.upload,
    sharedKey: sharedKey(root ?? request.context),
    epoch: context.hasTime && epoch === null ? "context" : epoch,
    fileOf: (name) => (name === dockerfile.attrs["filename"] ? dockerfile.shown : name),
  };
}

interface Context {
  readonly attrs: FrontendAttrs;
  readonly directory: { readonly path: string } | null;
  readonly upload: OfferedInputs["upload"];
  /** It is fetched, and what is fetched has a time. */
  readonly hasTime: boolean;
}

function contextOf({ context: given, stdin = process.stdin }: BuildRequest): Context {
  const nothing = { attrs: {}, directory: null, upload: null, hasTime: false };
  if (statSync(given, { throwIfNoEntry: false })?.isDirectory() === true) return { ...nothing, directory: openDirectory(given) };
  const context = parseMainContext(given);
  if (context.kind === "directory") return { ...nothing, directory: openDirectory(context.path) };
  if (context.kind !== "stdin") return { ...nothing, attrs: { context: given }, hasTime: context.kind === "git" };
  refuseTerminal(stdin, "the context");
  const id = newName();
  return { ...nothing, attrs: { context: `http://buildkit-session/${id}` }, upload: { id, stdin } };
}

function refuseTerminal(stdin: Stdin, what: string): void {
  if (stdin.isTTY !== true) return;
  throw new TbuildError("invalid_argument", `Cannot read ${what} from standard input: it is a terminal`, { hint: "Pipe it in: tbuild - < FILE" });
}

interface Dockerfile {
  readonly attrs: FrontendAttrs;
  readonly directories: readonly (readonly [string, OfferedDirectory])[];
  /** What the user calls it. */
  readonly shown: string;
  /** Absolute path; null for one that has no place in a directory of the user's. */
  readonly file: string | null;
}

async function dockerfileOf({ dockerfile: given, stdin = process.stdin, sourcePolicies }: BuildRequest, { directory }: Context, deps: InputDeps): Promise<Dockerfile> {
  // Of a context that is fetched the builder takes the Dockerfile from there, unless it is told otherwise.
  const alone = (dir: string, shown: string): Dockerfile => ({
    attrs: { filename: FILE, ...(directory === null ? { dockerfilekey: "dockerfile" } : {}) },
    directories: [["dockerfile", someFiles(dir, [FILE])]],
    shown,
    file: null,
  });
  if (given === "-") return alone(await stdinFile(deps.store, stdin, "the Dockerfile", deps.signal), "Dockerfile");
  if (given !== undefined && /^https?:\/\//i.test(given)) return alone(await downloaded(given, { ...deps, policy: requestPolicy({ sourcePolicies }) }), path.posix.basename(redacted(given).replace(/[?#].*$/s, "")));
  if (directory === null) return { attrs: given === undefined ? {} : { filename: given }, directories: [], shown: given ?? "Dockerfile", file: null };
  const file = dockerfilePath(directory.path, given);
  const filename = path.basename(file);
  const offered = someFiles(path.dirname(file), [filename, `${filename}.dockerignore`]);
  return { attrs: { filename }, directories: [["dockerfile", offered]], shown: nameIn(directory.path, file), file };
}

const MAX_DOCKERFILE = 16 << 20;

async function downloaded(url: string, { store, transport, signal, policy }: InputDeps & { readonly policy: SourcePolicy | null }): Promise<string> {
  const source = { identifier: url, attrs: {}, platform: null };
  const allowed = policy === null ? source : await policy(source, { signal });
  if (allowed.identifier !== url || Object.keys(allowed.attrs).length > 0) {
    throw new TbuildError("unsupported", `Cannot download "${redacted(url)}" for a builder: the source policy changes it`, { hint: "Download the Dockerfile first, and name the file" });
  }
  const response = await transport.request({ method: "GET", url: new URL(url), headers: {} }, { signal });
  const bytes = await readBody(response, MAX_DOCKERFILE);
  if (response.status !== 200) throw new TbuildError("not_found", `Cannot download "${redacted(url)}": the server answered ${response.status}`);
  const dir = path.join(store.scratch, "dockerfile", newName());
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  writeFileSync(path.join(dir, FILE), bytes);
  return dir;
}

interface Named {
  readonly attrs: FrontendAttrs;
  readonly directories: readonly (readonly [string, OfferedDirectory])[];
  readonly layouts: ReadonlyMap<string, BlobReader>;
}

function namedOf({ buildContexts = {} }: BuildRequest): Named {
  const { contexts, locals } = readNamedContexts(buildContexts);
  const attrs: Record<string, string> = {};
  const directories: (readonly [string, OfferedDirectory])[] = [];
  const layouts = new Map<string, BlobReader>();
  for (const [name, context] of contexts) {
    const local = locals.get(name);
    if (local !== undefined) {
      // These names have a meaning of their own.
      const own = name === "context" || name === "dockerfile" ? `_${name}` : name;
      directories.push([own, { path: local.path, ignore: [...local.ignore, ...(local.ignore.length === 0 ? [] : ["!.dockerignore"])] }]);
      attrs[`context:${name}`] = `local:${own}`;
    } else if (context.kind === "oci-layout") {
      const id = newName().replace(/[^a-z0-9]/g, "");
      const digest: Digest = context.digest ?? findInLayout(context.path, context.tag);
      layouts.set(`oci:${id}`, layoutReader(context.path));
      attrs[`context:${name}`] = `oci-layout://${id}${context.tag === null ? "" : `:${context.tag}`}@${digest}`;
    } else attrs[`context:${name}`] = buildContexts[name]!;
  }
  const caps: FrontendAttrs = contexts.size === 0 ? {} : { "frontend.caps": "moby.buildkit.frontend.contexts+forward" };
  return { attrs: { ...attrs, ...caps }, directories, layouts };
}

/** Neither paths nor the name of this machine are told. */
function sharedKey(context: string): string {
  return createHash("sha256").update(`${hostname()}\0${context}`).digest("hex").slice(0, 32);
}

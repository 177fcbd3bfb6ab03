import { TbuildError } from "../../../cache/errors.js";
import { parseDigest } from "../../../cache/oci/digest.js";
import type { ImageConfig } from "../../../cache/oci/descriptor.js";
import { parseGitUrl } from "../../../frontend/dockerfile/gitUrl.js";
import { parseNumberedIgnore } from "../../../frontend/dockerignore.js";
import type { NamedContext } from "../../../frontend/options.js";
import { type FrontendOpt, withPrefix } from "./frontendOpt.js";
import type { FrontendHost } from "./host.js";
import { clientFiles, readOptional } from "./texts.js";

/**
 * Named contexts of a client: `context:NAME` options. Source: BuildKit frontend/dockerui/namedcontext.go.
 * @throws {TbuildError} invalid_argument, unsupported
 */
export async function clientContexts(opt: FrontendOpt, host: FrontendHost): Promise<ReadonlyMap<string, NamedContext>> {
  const contexts = new Map<string, NamedContext>();
  for (const [name, value] of Object.entries(withPrefix(opt, "context:"))) contexts.set(name, await contextOf(name, value, opt, host));
  return contexts;
}

/** What one named context is. @throws {TbuildError} invalid_argument, unsupported */
export async function contextOf(name: string, value: string, opt: FrontendOpt, host: FrontendHost): Promise<NamedContext> {
  const [, kind, rest = ""] = /^([^:]+):(.*)$/s.exec(value) ?? [];
  switch (kind) {
    case "docker-image": {
      const reference = rest.replace(/^\/\//, "");
      return reference === "scratch" ? { kind: "scratch" } : { kind: "image", reference };
    }
    case "local":
      return await localContext(name, rest, host);
    case "input":
      return inputContext(name, rest, opt, host);
    case "oci-layout":
      return layoutContext(name, rest);
    default:
      return urlContext(name, value);
  }
}

async function localContext(name: string, local: string, host: FrontendHost): Promise<NamedContext> {
  const file = ".dockerignore";
  await using tree = await host.open(clientFiles(local, [file], `load ${file} of context ${name}`, `context:${name}-${file}`));
  const ignore = readOptional(tree.path, file);
  return { kind: "local", name: local, ignore: ignore === null ? [] : parseNumberedIgnore(ignore.bytes.toString("utf8")).rules };
}

/** `//STORE[:TAG]@DIGEST`: clients find out what a tag is by themselves. */
function layoutContext(name: string, text: string): NamedContext {
  const [, store = "", tag, digest = ""] = /^(?:\/\/)?(.+?)(?::([\w][\w.-]{0,127}))?@(.+)$/s.exec(text) ?? [];
  if (store !== "") return { kind: "oci-layout", path: store, tag: tag ?? null, digest: parseDigest(digest) };
  throw new TbuildError("invalid_argument", `Cannot use "oci-layout:${text}" as the context "${name}": it names no digest`);
}

function inputContext(name: string, input: string, opt: FrontendOpt, { inputs }: FrontendHost): NamedContext {
  const tree = inputs.get(input);
  if (tree === undefined) throw new TbuildError("invalid_argument", `Cannot use the input "${input}" as the context "${name}": there is none`);
  return { kind: "tree", tree, config: inputConfig(input, opt[`input-metadata:${input}`]) };
}

/** The metadata is a JSON object of base64 values. */
function inputConfig(input: string, metadata: string | undefined): ImageConfig | null {
  if (metadata === undefined) return null;
  try {
    const { "containerimage.config": config } = JSON.parse(metadata) as { readonly "containerimage.config"?: string };
    return config === undefined ? null : (JSON.parse(Buffer.from(config, "base64").toString("utf8")) as ImageConfig);
  } catch (cause) {
    throw new TbuildError("invalid_argument", `Cannot read the metadata of the input "${input}"`, { cause });
  }
}

function urlContext(name: string, value: string): NamedContext {
  if (parseGitUrl(value) !== null) return { kind: "git", url: value };
  if (/^https?:\/\//.test(value)) return { kind: "http", url: value };
  throw new TbuildError("invalid_argument", `unsupported context source ${value.split(":", 1)[0]} for ${name}`);
}

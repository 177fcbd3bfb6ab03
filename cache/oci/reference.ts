import { TbuildError } from "../errors.js";
import { type Digest, parseDigest } from "./digest.js";

/** A parsed and normalised image name. Source: distribution/reference (grammar) and Docker's default domain rules. */
export interface Reference {
  /** Host with optional port: "docker.io", "localhost:5000". */
  readonly registry: string;
  /** Path: "library/nginx". */
  readonly repository: string;
  readonly tag: string | null;
  readonly digest: Digest | null;
}

const DOMAIN = /^(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*|\[[0-9a-fA-F:]+\])(?::[0-9]+)?$/;
const PATH = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const TAG = /^[\w][\w.-]{0,127}$/;

/**
 * Parses `[registry/]repository[:tag][@digest]`. Without a registry it is docker.io (and `library/` for one-part
 * names). No tag is added: see {@link withDefaultTag}. @throws {TbuildError} invalid_reference, invalid_digest
 */
export function parseReference(text: string): Reference {
  const [name, digestText] = splitOnce(text, text.indexOf("@"));
  const colon = name.lastIndexOf(":");
  const hasTag = colon > name.lastIndexOf("/");
  const [path, tag] = splitOnce(name, hasTag ? colon : -1);
  const { registry, repository } = splitRegistry(path);
  if (!DOMAIN.test(registry) || !PATH.test(repository) || repository.length > 255) throw badReference(text, path);
  if (tag !== null && !TAG.test(tag)) throw badReference(text, path);
  return { registry, repository, tag, digest: digestText === null ? null : parseDigest(digestText) };
}

/** The reference with tag "latest" when it has neither tag nor digest. */
export function withDefaultTag(ref: Reference): Reference {
  return ref.tag === null && ref.digest === null ? { ...ref, tag: "latest" } : ref;
}

/** Full form: "docker.io/library/nginx:v3@sha256:…". */
export function formatReference(ref: Reference): string {
  const tag = ref.tag === null ? "" : `:${ref.tag}`;
  const digest = ref.digest === null ? "" : `@${ref.digest}`;
  return `${ref.registry}/${ref.repository}${tag}${digest}`;
}

/** The form people write: docker.io and library/ left out, "nginx:v3". */
export function familiarReference(ref: Reference): string {
  const full = formatReference(ref);
  if (ref.registry !== "docker.io") return full;
  return full.replace(/^docker\.io\/(?:library\/)?/, "");
}

function splitRegistry(path: string): { registry: string; repository: string } {
  const slash = path.indexOf("/");
  const first = slash < 0 ? "" : path.slice(0, slash);
  const isDomain = /[.:]/.test(first) || first === "localhost" || first.toLowerCase() !== first;
  const registry = isDomain ? first : "docker.io";
  const rest = isDomain ? path.slice(slash + 1) : path;
  const official = registry === "index.docker.io" ? "docker.io" : registry;
  return { registry: official, repository: official === "docker.io" && !rest.includes("/") ? `library/${rest}` : rest };
}

function splitOnce(text: string, at: number): [string, string | null] {
  return at < 0 ? [text, null] : [text.slice(0, at), text.slice(at + 1)];
}

function badReference(text: string, path: string): TbuildError {
  const upper = path !== path.toLowerCase();
  return new TbuildError("invalid_reference", `Cannot parse image name "${text}"`, {
    hint: upper ? "A repository name must be lower case" : "An image name is written [registry/]repository[:tag][@sha256:…]",
  });
}

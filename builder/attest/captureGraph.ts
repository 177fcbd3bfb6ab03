import { hostPlatform } from "../../cache/oci/platform.js";
import { formatReference, parseReference, withDefaultTag } from "../../cache/oci/reference.js";
import type { Vertex } from "../../solver/graph.js";
import type { ExecOp, SourceOp } from "../../solver/llb/op.js";
import { blobPlace } from "../source/blob.js";
import { readGitRequest } from "../source/gitRequest.js";
import type { ResolvedSource } from "../source/source.js";
import { type BlobMaterial, type Capture, emptyCapture, mergeCaptures } from "./capture.js";
import type { NeededKey } from "./request.js";

/** What the source of a step turned out to be. */
export type PinOf = (vertex: Vertex) => Promise<Pick<ResolvedSource, "attributes" | "meta">>;

/** What the steps of a graph have brought in, and asked for. */
export async function captureGraph(steps: readonly Vertex[], pinOf: PinOf): Promise<Capture> {
  return mergeCaptures(await Promise.all(steps.map((step) => captureStep(step, pinOf))));
}

async function captureStep(vertex: Vertex, pinOf: PinOf): Promise<Capture> {
  const { body } = vertex.op;
  switch (body.kind) {
    case "source":
      return await captureSource(vertex, body, pinOf);
    case "exec":
      return captureExec(body);
    case "build":
      return { ...emptyCapture, incomplete: true };
    default:
      return emptyCapture;
  }
}

async function captureSource(vertex: Vertex, { identifier, attrs }: SourceOp, pinOf: PinOf): Promise<Capture> {
  const [, scheme = "", rest = ""] = /^([a-z+-]+):\/\/(.*)$/s.exec(identifier) ?? [];
  switch (scheme) {
    case "docker-image":
    case "oci-layout":
      return await captureImage(vertex, rest, scheme === "oci-layout", pinOf);
    case "docker-image+blob":
    case "oci-layout+blob": {
      return { ...emptyCapture, blobs: [blobMaterial(identifier)] };
    }
    case "local":
      return { ...emptyCapture, locals: [rest] };
    case "git": {
      const { url, ref, bundle } = readGitRequest({ identifier, attrs, platform: null });
      const { meta } = await pinOf(vertex);
      const commit = meta?.kind === "git" ? meta.commit : "";
      const secrets = ["git.authtokensecret", "git.authheadersecret"].flatMap((key) => optionalKey(attrs[key]));
      return { ...emptyCapture, git: [{ url: ref === "" ? url : `${url}#${ref}`, commit, ...(bundle === null ? {} : { bundle: blobMaterial(bundle) }) }], secrets, ssh: optionalKey(attrs["git.mountsshsock"]) };
    }
    case "http":
    case "https": {
      const { meta } = await pinOf(vertex);
      return { ...emptyCapture, http: meta?.kind === "http" ? [{ url: identifier, digest: meta.checksum }] : [], secrets: optionalKey(attrs["http.authheadersecret"]) };
    }
    default:
      return { ...emptyCapture, incomplete: true };
  }
}

function blobMaterial(identifier: string): BlobMaterial {
  const { reference, digest, layout } = blobPlace(identifier);
  return { reference: formatReference(reference), digest, layout };
}

async function captureImage(vertex: Vertex, name: string, layout: boolean, pinOf: PinOf): Promise<Capture> {
  const named = withDefaultTag(parseReference(name));
  const digest = named.digest ?? pinnedDigest((await pinOf(vertex)).attributes);
  // Frontends ask for a tag, and pin what they have got.
  const asked = named.tag === null ? named : { ...named, digest: null };
  const image = { reference: formatReference(asked), platform: vertex.op.platform ?? hostPlatform(), digest, layout };
  return { ...emptyCapture, images: [image] };
}

/** Of an image of the image store only its config is known. */
function pinnedDigest({ manifest, config }: ResolvedSource["attributes"]): string {
  return manifest ?? config ?? "";
}

function captureExec({ mounts, secretEnv, network }: ExecOp): Capture {
  const mounted = (kind: "secret" | "ssh") => mounts.flatMap(({ type }) => (type.kind === kind ? [neededKey(type)] : []));
  const ssh = mounted("ssh").map((key) => ({ ...key, id: key.id === "" ? "default" : key.id }));
  return { ...emptyCapture, secrets: [...mounted("secret"), ...secretEnv.map(neededKey)], ssh, network: network !== "none" };
}

function neededKey({ id, optional }: { readonly id: string; readonly optional: boolean }): NeededKey {
  return optional ? { id, optional: true } : { id };
}

function optionalKey(id: string | undefined): readonly NeededKey[] {
  return id === undefined || id === "" ? [] : [{ id, optional: true }];
}

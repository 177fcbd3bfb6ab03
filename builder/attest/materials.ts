import { formatReference, parseReference } from "../../cache/oci/reference.js";
import { parseGitUrl } from "../../frontend/dockerfile/gitUrl.js";
import { type DigestSet, digestSet } from "./attestation.js";
import type { BlobMaterial, Capture } from "./capture.js";
import { imagePurl } from "./purl.js";
import { type Findable, withoutLogin } from "./request.js";

/** Something that a result was made of. */
export interface Material {
  readonly uri: string;
  readonly digest?: DigestSet;
}

/** Images, blobs, repositories and downloads as provenance names them. Source: BuildKit, solver/llbsolver/provenance/predicate.go. */
export function materialsOf({ images, blobs, git, http }: Capture): readonly Material[] {
  return [
    ...images.map(({ reference, platform, digest, layout }) => ({
      uri: imagePurl(layout ? "oci" : "docker", reference, platform),
      ...(digest === "" ? {} : { digest: digestSet(digest) }),
    })),
    ...blobs.map(({ reference, digest, layout }) => ({
      uri: imagePurl(layout ? "oci" : "docker", reference, null, { ref_type: "blob" }),
      digest: digestSet(digest),
    })),
    ...git.flatMap(({ url, commit, bundle }) => [{ uri: url, digest: commitDigest(commit) }, ...(bundle === undefined ? [] : [bundleMaterial(url, bundle)])]),
    ...http.map(({ url, digest }) => ({ uri: url, digest: digestSet(digest) })),
  ];
}

function bundleMaterial(url: string, { reference, digest, layout }: BlobMaterial): Material {
  const name = formatReference({ ...parseReference(reference), digest: null });
  return { uri: imagePurl(layout ? "oci" : "docker", name, null, { ref_type: "bundle", vcs_url: url }), digest: digestSet(digest) };
}

function commitDigest(commit: string): DigestSet {
  return commit.length === 64 ? { sha256: commit } : { sha1: commit };
}

/** The material that a URL of a context stands for; a repository is called with its directory. */
export function findMaterial({ git, http }: Capture, url: string): Findable | null {
  const repository = gitUri(url);
  const commit = repository === null ? undefined : git.find((one) => one.url === withoutLogin(repository.uri));
  if (repository !== null && commit !== undefined) return { uri: withoutLogin(repository.withDirectory), digest: commitDigest(commit.commit) };
  const file = http.find((one) => one.url === withoutLogin(url));
  return file === undefined ? null : { uri: file.url, digest: digestSet(file.digest) };
}

function gitUri(text: string): { readonly uri: string; readonly withDirectory: string } | null {
  const url = /^[a-z][a-z0-9+.-]*:\/\/|@|^github\.com\//i.test(text) ? parseGitUrl(text) : null;
  if (url === null) return null;
  const { remote, ref, subdir } = url;
  const directory = subdir.replace(/^\/+/, "");
  const uri = ref === "" ? remote : `${remote}#${ref}`;
  return { uri, withDirectory: directory === "" ? uri : `${remote}#${ref}:${directory}` };
}

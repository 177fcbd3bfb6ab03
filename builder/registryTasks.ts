import { TbuildError } from "../cache/errors.js";
import type { ImageRecord } from "../cache/meta/records.js";
import type { Digest } from "../cache/oci/digest.js";
import { hostPlatform, type Platform } from "../cache/oci/platform.js";
import { familiarReference, formatReference, parseReference, type Reference, withDefaultTag } from "../cache/oci/reference.js";
import type { Store } from "../cache/store.js";
import type { StepOpts } from "../solver/opRunner.js";
import { pushableImage } from "./image/pushable.js";
import { packStored } from "./image/stored.js";
import { internalStep, type Report } from "./internalStep.js";
import type { RemoteAccess } from "./remote.js";
import type { BuildParts } from "./run.js";

/** What `tbuild image pull` does. */
export interface PullRequest {
  readonly name: string;
  /** All of them get the name; none is this machine's platform. */
  readonly platforms: readonly Platform[];
}

/** What `tbuild image push` does. */
export interface PushRequest {
  readonly names: readonly string[];
  /** Plain HTTP where there is no TLS, and any certificate. */
  readonly insecure?: boolean;
}

/** A name, and what it stands for in the registry. */
export interface NamedDigest {
  /** Full reference. */
  readonly name: string;
  readonly digest: Digest;
}

type Parts = Pick<BuildParts, "store" | "remote">;

/**
 * Asks the registry what a name stands for, brings that here and gives it the name in the image store.
 * @throws {TbuildError} invalid_reference, not_found, unauthorized, unavailable, digest_mismatch, corrupt
 */
export async function pullImages({ store, remote }: Parts, request: PullRequest, report: Report, signal: AbortSignal): Promise<NamedDigest> {
  using access = remote(true);
  const reference = withDefaultTag(parseReference(request.name));
  const name = formatReference(reference);
  const platforms = request.platforms.length === 0 ? [hostPlatform()] : request.platforms;
  return await internalStep(report, `pulling ${name}`, signal, async (opts) => {
    // One after the other: they may have layers in common.
    const pulled = [];
    for (const platform of platforms) pulled.push(await access.pull(reference, platform, opts));
    await store.images.put(name, pulled.map(({ record }) => record));
    return { name, digest: pulled[0]!.root };
  });
}

/**
 * Writes images of the image store to registries, each under its own name. All names are looked up before anything is sent.
 * @throws {TbuildError} invalid_reference, not_found, unauthorized, unavailable, digest_mismatch
 */
export async function pushImages({ store, remote }: Parts, request: PushRequest, report: Report, signal: AbortSignal): Promise<readonly NamedDigest[]> {
  using access = remote(false);
  const names = request.names.map((name) => withDefaultTag(parseReference(name)));
  for (const name of names) storedImage(store, name);
  const pushed: NamedDigest[] = [];
  for (const name of names) {
    const step = `pushing ${formatReference(name)}`;
    pushed.push(await internalStep(report, step, signal, (opts) => pushStored(store, access, name, request.insecure === true, opts)));
  }
  return pushed;
}

async function pushStored(store: Store, access: RemoteAccess, name: Reference, insecure: boolean, opts: StepOpts): Promise<NamedDigest> {
  const { root, platforms, parts } = await packStored(store, storedImage(store, name), { signal: opts.signal, missing: "leave" });
  await access.push(pushableImage(parts, platforms, root, { content: store.content, refetch: (blob) => access.refetch(blob, opts) }), [name], { ...opts, insecure });
  return { name: formatReference(name), digest: root.digest };
}

function storedImage(store: Store, name: Reference): ImageRecord {
  if (name.digest !== null) {
    throw new TbuildError("invalid_argument", `Cannot push "${familiarReference(name)}": a name with a digest is no place to push to`, {
      hint: "Give the name with a tag",
    });
  }
  const record = store.images.get(formatReference(name));
  if (record !== null) return record;
  throw new TbuildError("not_found", `Cannot push "${familiarReference(name)}": no image has this name`, {
    hint: "Name one with `tbuild image tag`, or build it with -t",
  });
}

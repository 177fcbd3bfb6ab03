import { TbuildError } from "../../../cache/errors.js";
import { hostPlatform } from "../../../cache/oci/platform.js";
import { parseReference } from "../../../cache/oci/reference.js";
import type { Store } from "../../../cache/store.js";
import { redacted } from "../../../frontend/dockerfile/gitUrl.js";
import type { OciLayout } from "../../../frontend/options.js";
import { internalStep } from "../../internalStep.js";
import type { PolicySource } from "../../policy/policy.js";
import type { RemoteAccess } from "../../remote.js";
import type { Session } from "../../session/session.js";
import { buildSources, type SourceDeps } from "../../source/mod.js";
import type { DaemonBuild } from "../daemonBuild.js";
import { givenOf, wantedBySource } from "./given.js";
import type { BuildJob } from "../job.js";
import { type SourceAnswer, sourceMeta, type SourceQuestion } from "./sourceMeta.js";

type ImageQuestion = Omit<Parameters<DaemonBuild["resolveImageConfig"]>[0], "sourcePolicies">;

/** What an image is found by: a registry, or an image layout of the client. */
const LAYOUT = 1;

/** What {@link resolveImage} and {@link resolveSource} ask. */
export interface Resolving {
  readonly job: BuildJob;
  readonly session: Session | null;
  readonly store: Store;
  readonly own: Pick<SourceDeps, "local" | "aroundHttp" | "resolved">;
  /** Registries, with the client's logins; "pull" asks them even for what the image store has. */
  remoteFor(resolveMode: string | undefined): RemoteAccess;
}

/** Says what is asked about instead of a source. */
export type Decide = (source: PolicySource) => Promise<PolicySource>;

/** An image's digest and config. @throws {TbuildError} not_found, unauthorized, unavailable, invalid_argument, permission_denied */
export async function resolveImage(parts: Resolving, asked: ImageQuestion, decide: Decide) {
  const { ref, platform, resolverType, sessionId, storeId } = asked;
  const scheme = resolverType === LAYOUT ? "oci-layout" : "docker-image";
  const attrs: Record<string, string> = resolverType === LAYOUT ? { "oci.session": sessionId, "oci.store": storeId } : {};
  const decided = await decide({ identifier: `${scheme}://${ref}`, attrs, platform });
  const image = imageOf(decided);
  if (image === null) throw new TbuildError("invalid_argument", `Cannot tell the config of "${ref}": the source policy makes it "${decided.identifier}", which is no image`);
  const { digest, config, reference } = await imageAt(parts, image, asked);
  // What a policy made of the name is what the frontend goes on with.
  return { digest, config, ref: image.ref === ref ? reference : image.ref };
}

interface ImagePlace {
  readonly isLayout: boolean;
  readonly ref: string;
  readonly attrs: PolicySource["attrs"];
}

function imageOf({ identifier, attrs }: PolicySource): ImagePlace | null {
  const [, scheme, ref = ""] = /^(docker-image|oci-layout):\/\/(.*)$/s.exec(identifier) ?? [];
  return scheme === undefined ? null : { isLayout: scheme === "oci-layout", ref, attrs };
}

async function imageAt({ job, remoteFor }: Resolving, { isLayout, ref, attrs }: ImagePlace, asked: Pick<ImageQuestion, "platform" | "resolveMode" | "logName">) {
  const name = asked.logName === "" ? `resolve image config for ${ref}` : asked.logName;
  const access = remoteFor(asked.resolveMode);
  const wanted = asked.platform ?? hostPlatform();
  const image = await internalStep(job.report, name, job.signal, (opts) =>
    isLayout
      ? access.resolveLayout(layoutOf(ref, attrs["oci.store"] ?? "", attrs["oci.session"] ?? ""), wanted, opts)
      : access.resolveImage(ref, wanted, opts),
  );
  return { digest: image.digest ?? "", config: Buffer.from(JSON.stringify(image.config)), reference: image.reference };
}

function layoutOf(ref: string, store: string, session: string): OciLayout & { readonly session: string } {
  const { tag, digest } = parseReference(ref);
  if (digest !== null) return { kind: "oci-layout", path: store, tag, digest, session };
  throw new TbuildError("invalid_argument", `Cannot find "${ref}" in an image layout of the client: it names no digest`);
}

/** What a source stands for now. @throws {TbuildError} unsupported, permission_denied, and as the source does */
export async function resolveSource(parts: Resolving, asked: SourceQuestion, decide: Decide): Promise<SourceAnswer> {
  const given = { identifier: asked.source?.identifier ?? "", attrs: asked.source?.attrs ?? {}, platform: asked.platform };
  const { identifier, attrs } = await decide(given);
  const source = { kind: "source" as const, identifier, attrs };
  const image = imageOf({ ...given, ...source });
  if (image === null) return await resolveOther(parts, { ...asked, source });
  const { digest, config } = await imageAt(parts, image, asked);
  return { source, image: asked.image?.noConfig === true ? { digest } : { digest, config } };
}

async function resolveOther({ job, session, store, own, remoteFor }: Resolving, asked: SourceQuestion): Promise<SourceAnswer> {
  const { identifier = "", attrs = {} } = asked.source ?? {};
  const given = await givenOf(session, wantedBySource({ identifier, attrs }), { signal: job.signal });
  const sources = buildSources({ store, remote: remoteFor(undefined), ...own, ...given });
  const name = asked.logName === "" ? `resolve ${redacted(identifier)}` : asked.logName;
  return await internalStep(job.report, name, job.signal, (opts) => sourceMeta(sources, asked, opts));
}

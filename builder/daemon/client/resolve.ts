import { TbuildError } from "../../../cache/errors.js";
import { hostPlatform } from "../../../cache/oci/platform.js";
import { parseReference, withDefaultTag } from "../../../cache/oci/reference.js";
import { redacted } from "../../../frontend/dockerfile/gitUrl.js";
import type { OciLayout } from "../../../frontend/options.js";
import { internalStep } from "../../internalStep.js";
import { buildSources } from "../../source/mod.js";
import type { DaemonBuild } from "../daemonBuild.js";
import type { ClientRun } from "./clientRun.js";
import { attestationChain } from "./attestationChain.js";
import { givenOf, wantedBySource } from "./given.js";
import { type SourceAnswer, sourceMeta, type SourceQuestion } from "./sourceMeta.js";

type ImageQuestion = Omit<Parameters<DaemonBuild["resolveImageConfig"]>[0], "sourcePolicies">;

/** What an image is found by: a registry, or an image layout of the client. */
const LAYOUT = 1;

/** An image's digest and config. @throws {TbuildError} not_found, unauthorized, unavailable, invalid_argument */
export async function resolveImage({ job, remoteFor }: ClientRun, asked: ImageQuestion) {
  const { ref, platform, resolveMode, logName, resolverType, sessionId, storeId } = asked;
  const name = logName === "" ? `resolve image config for ${ref}` : logName;
  const access = remoteFor(resolveMode);
  const wanted = platform ?? hostPlatform();
  const image = await internalStep(job.report, name, job.signal, (opts) =>
    resolverType === LAYOUT
      ? access.resolveLayout(layoutOf(ref, storeId, sessionId), wanted, opts)
      : access.resolveImage(ref, wanted, opts),
  );
  return { digest: image.digest ?? "", config: Buffer.from(JSON.stringify(image.config)), ref: image.reference };
}

function layoutOf(ref: string, store: string, session: string): OciLayout & { readonly session: string } {
  const { tag, digest } = parseReference(ref);
  if (digest !== null) return { kind: "oci-layout", path: store, tag, digest, session };
  throw new TbuildError("invalid_argument", `Cannot find "${ref}" in an image layout of the client: it names no digest`);
}

/** What a source stands for now. @throws {TbuildError} unsupported, and as the source does */
export async function resolveSource(run: ClientRun, asked: SourceQuestion): Promise<SourceAnswer> {
  const { source, platform, resolveMode, logName } = asked;
  const { identifier = "", attrs = {} } = source ?? {};
  const [, scheme, ref = ""] = /^(docker-image|oci-layout):\/\/(.*)$/s.exec(identifier) ?? [];
  if (scheme === undefined) return await resolveOther(run, asked);
  if (scheme === "docker-image" && asksForChain(asked)) return await resolveChain(run, asked, ref);
  const layout = { resolverType: scheme === "oci-layout" ? LAYOUT : 0, sessionId: attrs["oci.session"] ?? "", storeId: attrs["oci.store"] ?? "" };
  const { digest, config } = await resolveImage(run, { ref, platform, resolveMode, logName, ...layout });
  return { source, image: { digest, config } };
}

function asksForChain({ image }: SourceQuestion): boolean {
  return image !== null && (image.attestationChain || image.resolveAttestations.length > 0);
}

/** An image with what is said of it; its config only when that is asked for, too. */
async function resolveChain(run: ClientRun, { source, image, platform, resolveMode, logName }: SourceQuestion, ref: string): Promise<SourceAnswer> {
  const { job, running: { parts: { store } } } = run;
  const { client } = run.remoteFor(resolveMode);
  const wanted = platform ?? hostPlatform();
  const named = withDefaultTag(parseReference(ref));
  const name = logName === "" ? `resolve attestations of ${ref}` : logName;
  const chain = await internalStep(job.report, name, job.signal, (opts) => attestationChain({ client, store }, named, wanted, image?.resolveAttestations ?? [], opts));
  const resolved = image?.noConfig === true ? null : await resolveImage(run, { ref, platform, resolveMode, logName, resolverType: 0, sessionId: "", storeId: "" });
  const digest = chain?.root ?? resolved?.digest ?? "";
  return { source, image: { digest, config: resolved?.config ?? new Uint8Array(), attestationChain: chain } };
}

async function resolveOther({ job, session, running, own }: ClientRun, asked: SourceQuestion): Promise<SourceAnswer> {
  const { identifier = "", attrs = {} } = asked.source ?? {};
  const given = await givenOf(session, wantedBySource({ identifier, attrs }), { signal: job.signal });
  const { parts: { store }, remote } = running;
  const sources = buildSources({ store, remote, ...own, ...given });
  const name = asked.logName === "" ? `resolve ${redacted(identifier)}` : asked.logName;
  return await internalStep(job.report, name, job.signal, (opts) => sourceMeta(sources, asked, opts));
}

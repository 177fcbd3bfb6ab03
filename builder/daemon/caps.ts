import type { Encodable } from "../api/schema.js";
import type { apiCap } from "../api/common.js";

type ApiCap = Encodable<typeof apiCap>;

/** What a frontend of the client may ask of the bridge. Source: BuildKit, frontend/gateway/pb/caps.go. */
const FRONTEND_CAPS = [
  "solve.base",
  "resolveimage",
  "resolveimage.resolvemode",
  "readfile",
  "return",
  "returnmap",
  "readdir",
  "statfile",
  "importcaches",
  "proto.refarray",
  "reference.output",
  "frontend.inputs",
  "gateway.solve.metadata",
  "frontend.caps",
  "gateway.solve.evaluate",
  "gateway.evaluate",
  "gateway.warnings",
  "reference.attestations",
  "source.metaresolver",
  "source.metaresolver.image.attestations",
  "gateway.exec",
  "gateway.exec.extrahosts",
  "gateway.exec.secretenv",
  "gateway.exec.signals",
  "gateway.exec.filesystem",
];

/** What graphs of a client may use. A client refuses by itself what is missing. Source: BuildKit, solver/pb/caps.go. */
const LLB_CAPS = [
  "source.image source.image.resolvemode source.image.checksum source.local source.local.unique source.local.sessionid",
  "source.local.includepatterns source.local.followpaths source.local.excludepatterns source.local.sharedkeyhint",
  "source.local.differ source.git source.git.keepgitdir source.git.fullurl source.git.httpauth",
  "source.git.knownsshhosts source.git.mountsshsock source.git.subdir source.git.checksum source.git.mtime source.git.skipsubmodules",
  "source.http source.http.auth source.http.checksum source.http.perm soruce.http.uidgid source.ocilayout source.imageblob source.git.bundle source.git.checkoutbundle source.policy source.policy.session",
  "exec.meta.base exec.meta.cgroup.parent exec.meta.network exec.meta.proxyenv exec.meta.security",
  "exec.meta.security.devices.v1 exec.meta.setsdefaultpath exec.meta.ulimit exec.meta.cdi exec.meta.linux.resources",
  "exec.meta.removemountstubs.recursive exec.mount.bind exec.mount.bind.readwrite-nooutput exec.mount.cache",
  "exec.mount.cache.sharing exec.mount.selector exec.mount.tmpfs exec.mount.tmpfs.size exec.mount.secret",
  "exec.mount.ssh exec.mount.cache.content exec.secretenv exec.validexitcode file.base file.rm.wildcard",
  "file.copy.includeexcludepatterns file.copy.requiredpaths file.rm.nofollowsymlink",
  "file.copy.alwaysreplaceexistingdestpaths file.copy.modestring file.symlink.create constraints platform",
  "meta.ignorecache meta.description mergeop diffop passthroughop source.buildop.llbfilename exporter.image.annotations exporter.image.attestations exporter.sourcedateepoch",
  "exporter.multiple cache.gha cache.s3",
].flatMap((names) => names.split(" "));

const enabled = (id: string): ApiCap => ({ id, enabled: true });

/** Capabilities as `Ping` answers them. */
export const capabilities = { frontendApiCaps: FRONTEND_CAPS.map(enabled), llbCaps: LLB_CAPS.map(enabled) };

import { digestOf, type Digest } from "../../cache/oci/digest.js";
import { formatPlatform } from "../../cache/oci/platform.js";
import { encodeOp } from "../../solver/llb/codec.js";
import type { ExecOp, Op, OpBody } from "../../solver/llb/op.js";

/**
 * Digest of what an op does, whatever its inputs: its wire bytes without inputs and without what must not split the
 * cache. Files do not depend on a platform, processes do.
 */
export function opDigest(op: Op): Digest {
  const platform = op.body.kind === "exec" && op.platform !== null ? formatPlatform(op.platform) : "";
  const bytes = encodeOp({ inputs: [], platform: null, constraints: [], body: cacheRelevant(op.body) });
  return digestOf(Buffer.concat([Buffer.from(`tbuild.op.v1\n${platform}\n`), bytes]));
}

function cacheRelevant(body: OpBody): OpBody {
  return body.kind === "exec" ? withoutRunOptions(body) : body;
}

/** Proxies, limits and addresses change how a step runs, not what it means. */
function withoutRunOptions(op: ExecOp): ExecOp {
  const extraHosts = op.meta.extraHosts.map(({ host }) => ({ host, ip: "" }));
  return { ...op, meta: { ...op.meta, proxyEnv: null, ulimits: [], cgroupParent: "", extraHosts } };
}

import type { Platform } from "../../cache/oci/platform.js";
import { isDigest } from "../../cache/oci/digest.js";
import { definitionCodec } from "./codecDefinition.js";
import { execOp } from "./codecExec.js";
import { fileOp } from "./codecFile.js";
import { buildOp, diffOp, mergeOp, passthroughOp, platform } from "./codecRest.js";
import { sourceOp } from "./codecSource.js";
import type { Definition } from "./definition.js";
import { child, children, encode, int, mapped, message, text, texts } from "./message.js";
import type { BuildOp, DiffOp, ExecOp, FileOp, Input, MergeOp, Op, OpBody, PassthroughOp, SourceOp } from "./op.js";
import { malformed } from "./wire.js";

interface WireOp {
  readonly inputs: readonly Input[];
  readonly exec: ExecOp | null;
  readonly source: SourceOp | null;
  readonly file: FileOp | null;
  readonly build: BuildOp | null;
  readonly merge: MergeOp | null;
  readonly diff: DiffOp | null;
  readonly passthrough: PassthroughOp | null;
  readonly platform: Platform | null;
  readonly constraints: { readonly filter: readonly string[] } | null;
}

const input = mapped(
  message<{ digest: string; index: number }>({ digest: text(1), index: int(2) }),
  (value: Input) => value,
  ({ digest, index }): Input => {
    if (!isDigest(digest)) throw malformed(`"${digest}" is no digest of an op`);
    return { digest, index };
  },
);

const wireOp = message<WireOp>({
  inputs: children(1, input),
  exec: child(2, execOp),
  source: child(3, sourceOp),
  file: child(4, fileOp),
  build: child(5, buildOp),
  merge: child(6, mergeOp),
  diff: child(7, diffOp),
  passthrough: child(8, passthroughOp),
  platform: child(10, platform),
  constraints: child(11, message<{ readonly filter: readonly string[] }>({ filter: texts(1) })),
});

/** pb.Op as Go's deterministic marshalling writes it; sha256 of these bytes is the op's digest. */
export function encodeOp(op: Op): Uint8Array {
  const { inputs, platform, constraints, body } = op;
  return encode(wireOp, {
    inputs,
    exec: body.kind === "exec" ? body : null,
    source: body.kind === "source" ? body : null,
    file: body.kind === "file" ? body : null,
    build: body.kind === "build" ? body : null,
    merge: body.kind === "merge" ? body : null,
    diff: body.kind === "diff" ? body : null,
    passthrough: body.kind === "passthrough" ? body : null,
    platform,
    constraints: constraints === null ? null : { filter: constraints },
  });
}

/**
 * Inverse of {@link encodeOp}. Indices are not checked.
 * @throws {TbuildError} invalid_argument for bytes that are no op, an op without a body, or a kind we do not know
 */
export function decodeOp(bytes: Uint8Array): Op {
  const { inputs, platform, constraints, ...arms } = wireOp.decode(bytes);
  return { inputs, platform, constraints: constraints?.filter ?? null, body: bodyOf(arms) };
}

/** The last entry of a definition: an op with one input and no body. */
export function encodeTerminal(target: Input): Uint8Array {
  const noBody = { exec: null, source: null, file: null, build: null, merge: null, diff: null, passthrough: null };
  return encode(wireOp, { inputs: [target], platform: null, constraints: null, ...noBody });
}

/** What the last entry of a definition points at. @throws {TbuildError} invalid_argument */
export function decodeTerminal(bytes: Uint8Array): Input {
  const { inputs, platform: _platform, constraints: _constraints, ...arms } = wireOp.decode(bytes);
  const [target] = inputs;
  if (target === undefined || inputs.length !== 1 || Object.values(arms).some((arm) => arm !== null)) {
    throw malformed("the last entry is not a terminal op with one input");
  }
  return target;
}

/** pb.Definition. */
export function encodeDefinition(definition: Definition): Uint8Array {
  return encode(definitionCodec, definition);
}

/** Inverse of {@link encodeDefinition}; ops stay bytes. @throws {TbuildError} invalid_argument, invalid_digest */
export function decodeDefinition(bytes: Uint8Array): Definition {
  return definitionCodec.decode(bytes);
}

function bodyOf(arms: Pick<WireOp, OpBody["kind"]>): OpBody {
  const body = arms.exec ?? arms.source ?? arms.file ?? arms.build ?? arms.merge ?? arms.diff ?? arms.passthrough;
  if (body === null) throw malformed("an op has no body, or one of an unknown kind");
  return body;
}

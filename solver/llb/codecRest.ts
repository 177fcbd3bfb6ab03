import type { Platform } from "../../cache/oci/platform.js";
import { type Codec, child, childMap, children, int, ints, mapped, message, text, textMap, texts } from "./message.js";
import type { BuildOp, DiffOp, MergeOp, PassthroughOp } from "./op.js";
import { put } from "./wire.js";

interface WireInput {
  readonly input: number;
}

// MergeInput, LowerDiffInput, UpperDiffInput and BuildInput have the same field.
const wireInput = message<WireInput>({ input: int(1) });

/** pb.MergeOp. */
export const mergeOp: Codec<MergeOp> = mapped(
  message<{ inputs: readonly WireInput[] }>({ inputs: children(1, wireInput) }),
  (op) => ({ inputs: op.inputs.map((input) => ({ input })) }),
  (wire) => ({ kind: "merge", inputs: wire.inputs.map(({ input }) => input) }),
);

/** pb.DiffOp. An absent side means input 0, as in Go. */
export const diffOp: Codec<DiffOp> = mapped(
  message<{ lower: WireInput | null; upper: WireInput | null }>({ lower: child(1, wireInput), upper: child(2, wireInput) }),
  (op) => ({ lower: { input: op.lower }, upper: { input: op.upper } }),
  (wire) => ({ kind: "diff", lower: wire.lower?.input ?? 0, upper: wire.upper?.input ?? 0 }),
);

/** pb.PassthroughOp. */
export const passthroughOp: Codec<PassthroughOp> = mapped(
  message<Omit<PassthroughOp, "kind">>({ id: text(1), outputs: ints(2) }),
  ({ id, outputs }) => ({ id, outputs }),
  (wire) => ({ kind: "passthrough", ...wire }),
);

interface WireBuild extends Omit<BuildOp, "kind" | "inputs"> {
  readonly inputs: Readonly<Record<string, WireInput>>;
}

const raw: Codec<Uint8Array> = { write: put, decode: (bytes) => bytes };

/** pb.BuildOp; its definition stays bytes. */
export const buildOp: Codec<BuildOp> = mapped(
  message<WireBuild>({ builder: int(1), inputs: childMap(2, wireInput), def: child(3, raw), attrs: textMap(4) }),
  (op) => ({ ...op, inputs: mapValues(op.inputs, (input) => ({ input })) }),
  (wire) => ({ kind: "build", ...wire, inputs: mapValues(wire.inputs, ({ input }) => input) }),
);

/** pb.Platform. */
export const platform: Codec<Platform> = mapped(
  message<Required<Platform>>({
    architecture: text(1),
    os: text(2),
    variant: text(3),
    "os.version": text(4),
    "os.features": texts(5),
  }),
  (value) => ({ variant: "", "os.version": "", "os.features": [], ...value }),
  ({ os, architecture, ...rest }) => ({
    os,
    architecture,
    ...(rest.variant === "" ? {} : { variant: rest.variant }),
    ...(rest["os.version"] === "" ? {} : { "os.version": rest["os.version"] }),
    ...(rest["os.features"].length === 0 ? {} : { "os.features": rest["os.features"] }),
  }),
);

function mapValues<A, B>(record: Readonly<Record<string, A>>, change: (value: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]));
}

import type { Op } from "./op.js";

/** How many results the op has. */
export function outputCount({ body }: Op): number {
  switch (body.kind) {
    case "exec":
      return body.mounts.reduce((count, { output }) => Math.max(count, output + 1), 0);
    case "file":
      return body.actions.reduce((count, { output }) => Math.max(count, output + 1), 0);
    case "passthrough":
      return body.outputs.length;
    default:
      return 1;
  }
}

/** Says which index in the op's body points at no input, earlier action or sensible output; null when all are good. */
export function badIndex(op: Op): string | null {
  for (const { what, value, from, below } of indices(op)) {
    if (!Number.isInteger(value) || value < from || value >= below) return `${what} ${value} is out of range`;
  }
  return null;
}

interface Index {
  readonly what: string;
  readonly value: number;
  readonly from: -1 | 0;
  readonly below: number;
}

function indices({ body, inputs }: Op): Index[] {
  const count = inputs.length;
  const input = (value: number, what = "input"): Index => ({ what, value, from: -1, below: count });
  switch (body.kind) {
    case "source":
      return [];
    case "exec":
      return body.mounts.flatMap((mount) => [input(mount.input), outputIndex(mount.output, body.mounts.length)]);
    case "file":
      return body.actions.flatMap((action, i) => [
        { what: "input", value: action.input, from: -1, below: count + i },
        { what: "secondary input", value: action.secondaryInput, from: -1, below: count + i },
        outputIndex(action.output, body.actions.length),
      ]);
    case "merge":
      return body.inputs.map((value) => input(value));
    case "passthrough":
      return body.outputs.map((value) => ({ what: "passed input", value, from: 0, below: count }));
    case "diff":
      return [input(body.lower, "lower input"), input(body.upper, "upper input")];
    case "build":
      return [input(body.builder, "builder"), ...Object.values(body.inputs).map((value) => input(value))];
  }
}

/** More outputs than mounts or actions would leave gaps, and a huge index would size our result lists. */
function outputIndex(value: number, below: number): Index {
  return { what: "output", value, from: -1, below };
}

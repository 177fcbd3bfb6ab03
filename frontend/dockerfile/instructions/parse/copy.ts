import type { AddInstruction, CopyInstruction, Heredoc, Own, Word } from "../../instruction.js";
import type { HeredocText } from "../../lines.js";
import { parseFailed } from "../../parseErrors.js";
import { splitBlanks } from "../../words.js";
import { type FlagValues, readFlags } from "./flags.js";
import { argsRange, jsonForm, type RawInstruction, toHeredoc } from "./raw.js";

const shared = { chown: "value", chmod: "value", link: "boolean", exclude: "values" } as const;
const copyFlags = { from: "value", ...shared, parents: "boolean" } as const;
const addFlags = { ...shared, checksum: "value", "keep-git-dir": "boolean", unpack: "boolean" } as const;

/** `COPY [flags] SRC… DEST` */
export function parseCopy(raw: RawInstruction): Own<CopyInstruction> {
  const flags = readFlags(raw, copyFlags);
  const { sources, dest, heredocs } = sourcesAndDest(raw);
  const { chown, chmod, link, exclude } = sharedFlags(flags);
  const from = flags.from || null;
  return { name: "copy", from, parents: flags.parents ?? false, sources, dest, heredocs, chown, chmod, link, exclude };
}

/** `ADD [flags] SRC… DEST` */
export function parseAdd(raw: RawInstruction): Own<AddInstruction> {
  const flags = readFlags(raw, addFlags);
  return {
    name: "add",
    checksum: flags.checksum || null,
    keepGitDir: flags["keep-git-dir"],
    unpack: flags.unpack,
    ...sharedFlags(flags),
    ...sourcesAndDest(raw),
  };
}

/** An empty value means the same as no flag. */
function sharedFlags(flags: FlagValues<typeof shared>): Pick<CopyInstruction, "chown" | "chmod" | "link" | "exclude"> {
  return { chown: flags.chown || null, chmod: flags.chmod || null, link: flags.link ?? false, exclude: flags.exclude };
}

interface SourcesAndDest {
  readonly sources: readonly Word[];
  readonly dest: Word;
  readonly heredocs: readonly Heredoc[];
}

function sourcesAndDest(raw: RawInstruction): SourcesAndDest {
  const form = jsonForm(raw);
  const heredocs = form.kind === "strings" ? [] : raw.line.heredocs;
  const words = form.kind === "strings" ? form.values : wordsBetween(raw, heredocs);
  const count = words.length + heredocs.length;
  if (count < 2) {
    const message = `${raw.label} requires at least two arguments, a source and a destination, but got ${count}`;
    throw parseFailed(message, argsRange(raw));
  }
  const last = heredocs.at(-1);
  if (last !== undefined && last.end >= raw.argsStart + raw.args.length) {
    const at = raw.place.range(last.start, last.end);
    throw parseFailed(`Cannot use here-document "${last.name}" as destination of ${raw.label}`, at);
  }
  return { sources: words.slice(0, -1), dest: words.at(-1)!, heredocs: heredocs.map(toHeredoc) };
}

/** Words of the arguments without the `<<EOF` markers, which may hold quoted blanks. */
function wordsBetween(raw: RawInstruction, heredocs: readonly HeredocText[]): Word[] {
  const { text } = raw.line;
  const parts: string[] = [];
  let from = raw.argsStart;
  for (const { start, end } of heredocs) {
    parts.push(text.slice(from, start));
    from = Math.max(from, end);
  }
  return [...parts, text.slice(from, raw.argsStart + raw.args.length)].flatMap(splitBlanks);
}

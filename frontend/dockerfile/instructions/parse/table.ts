import type { Instruction, Own } from "../../instruction.js";
import { didYouMean, parseFailed, quoted } from "../../parseErrors.js";
import { suggest } from "../../suggest.js";
import { parseCmd, parseEntrypoint, parseShell } from "./command.js";
import { parseAdd, parseCopy } from "./copy.js";
import { parseFrom } from "./from.js";
import { parseHealthcheck } from "./healthcheck.js";
import { parseArg, parseEnv, parseLabel } from "./keyValue.js";
import { parseExpose, parseVolume } from "./list.js";
import { parseOnbuild } from "./onbuild.js";
import { type RawInstruction, keywordRange } from "./raw.js";
import { parseRun } from "./run.js";
import { parseMaintainer, parseStopsignal, parseUser, parseWorkdir } from "./text.js";

type Name = Instruction["name"];

/** Every instruction; one without a parser does not compile. */
const parsers: { readonly [N in Name]: (raw: RawInstruction) => Own<Extract<Instruction, { name: N }>> } = {
  from: parseFrom,
  arg: parseArg,
  env: parseEnv,
  label: parseLabel,
  run: parseRun,
  cmd: parseCmd,
  entrypoint: parseEntrypoint,
  copy: parseCopy,
  add: parseAdd,
  expose: parseExpose,
  volume: parseVolume,
  user: parseUser,
  workdir: parseWorkdir,
  stopsignal: parseStopsignal,
  maintainer: parseMaintainer,
  shell: parseShell,
  healthcheck: parseHealthcheck,
  onbuild: (raw) => parseOnbuild(raw, parseInstruction),
};

/** Checks and types one instruction. @throws {TbuildError} parse_failed */
export function parseInstruction(raw: RawInstruction): Instruction {
  const name = raw.base.keyword.toLowerCase();
  // Not by spreading: V8 is many times slower to add properties to what was spread first.
  if (isName(name)) return Object.assign({}, raw.base, parsers[name](raw));
  const names = Object.keys(parsers).map((key) => (name === raw.base.keyword ? key : key.toUpperCase()));
  const hint = didYouMean(suggest(raw.base.keyword, names));
  throw parseFailed(`Unknown instruction ${quoted(raw.base.keyword)}`, keywordRange(raw), hint);
}

function isName(text: string): text is Name {
  return Object.hasOwn(parsers, text);
}

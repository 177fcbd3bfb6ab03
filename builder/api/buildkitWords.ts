import type { TbuildError } from "../../cache/errors.js";

/** What BuildKit says of the same mistake. */
type Words = (error: TbuildError, found: readonly string[]) => string;

/** Our messages, and BuildKit's words for them, which people and tools look for. */
const table: readonly (readonly [RegExp, Words])[] = [
  [/^Unknown instruction "(.*)"$/s, ({ at, hint }, [name]) => `dockerfile parse error on line ${at?.start.line ?? 0}: unknown instruction: ${name}${guess(hint)}`],
  [/^Unknown flag "(--[^"]*)": /, ({ hint }, [flag]) => `unknown flag: ${flag}${guess(hint)}`],
  [/^Cannot build from "[^"]*": it has no FROM instruction$/, () => "dockerfile contains no stages to build"],
  [/^Cannot expand variable "([^"]*)": (.*)$/s, (_, [name, why]) => `failed to process word: ${name}: ${why}`],
  [/^Cannot expand variables in --from /, () => "variable expansion is not supported for --from, define a new stage with FROM using ARG from global scope as a workaround"],
  [/^Cannot use "[^"]*" as from of a mount$/, () => "'from' doesn't support variable expansion, define alias stage instead"],
  [/^Cannot use "([^"]*)" as --chmod$/, (_, [mode]) => `invalid chmod parameter: '${mode}'. it should be octal string and between 0 and 07777`],
  [/^Cannot use stage "([^"]*)" here: the stage is defined further down$/, (_, [stage]) => `cannot copy from stage "${stage}", it needs to be defined before current stage`],
  [/^Cannot use "([^"]*)" as an option of a mount$/, ({ hint }, [key]) => `unexpected key '${key}' in mount${guess(hint)}`],
  [/^Cannot use "([^"]*)" as a mount type$/, ({ hint }, [type]) => `unsupported mount type "${type}"${guess(hint)}`],
  [/^Cannot find "([^"]*)" in the Git repository "/, (_, [ref]) => `repository does not contain ref ${ref}`],
  [/^Cannot use the Git URL "[^"]*": the refs? ("[^"]*") and (.*) conflict$/, (_, [first, others]) => `ref conflicts: ${first} vs ${others}`],
  [/^Cannot build: (lint violation found for rules: .*)$/, (_, [words]) => words ?? ""],
  [/^Cannot find target stage "([^"]*)"$/, ({ hint }, [stage]) => `target stage "${stage}" could not be found${guess(hint)}`],
  [/^Cannot use "([^"]*)" as the platform of a stage: it expands to nothing$/, ({ hint }, [word]) => `empty platform value from expression ${word}${guess(hint)}`],
  [/^Cannot use "([^"]*)" as the platform of a stage: it expands to "([^"]*)"$/, ({ hint }, [word, text = ""]) => `failed to parse platform ${word}: ${badComponent(text)}${guess(hint)}`],
  [/^Cannot use (?:"([^"]*)" as SOURCE_DATE_EPOCH|SOURCE_DATE_EPOCH "([^"]*)")$/, (_, [a, b]) => `invalid SOURCE_DATE_EPOCH: ${a ?? b}`],
  [/^Cannot mount the secret "([^"]*)": the build was given none$/, (_, [id]) => `secret ${id}: not found`],
  [/^Cannot find "([^"]*)" in the build context$/, (_, [path]) => `failed to compute cache key: failed to calculate checksum of ref context: "${path}": not found`],
  [/^Cannot copy "([^"]*)": no such path in /, (_, [path]) => `failed to calculate checksum of ref stage: "${path}": not found`],
  [/: its commit is (\S+), the checksum says (\S+)$/, (_, [commit, checksum]) => `expected checksum to match ${checksum}, got ${commit}`],
  [/^Cannot allow (\S+)$/, (_, [name]) => `entitlement ${name} is not allowed`],
  [/^Cannot merge platforms: "\/(.*)" of (\S+) differs from that of (\S+)$/s, (_, [file, first, second]) => `cannot overwrite ${file} from ${first} with ${second} when split option is disabled`],
  [/ needs the entitlement "([^"]+)"$/, (_, [name]) => `${name} is not allowed`],
  [/unknown value \d+ of "sandbox\|insecure"$/, () => "invalid security mode"],
  [/^Cannot mount the ssh agent "(.*)": the build was given none$/, (_, [id]) => `no SSH key "${id}" forwarded from the client`],
  [/^Cannot download ".*": the server answered (\d+)$/s, (_, [status]) => `invalid response status ${status}`],
  [/^Cannot use ".*": expected (sha256:\w+), got (sha256:\w+)$/s, (_, [wanted, got]) => `digest mismatch ${got}: ${wanted}`],
  [/^Cannot use "(.*)": the source policy denies it$/s, (_, [source]) => `error evaluating the source policy: source "${source}" denied by policy: source denied by policy`],
  [/^Cannot use a source policy: a rule has no selector$/, () => "invalid nil selector in policy"],
  [/^Cannot use a source policy: the rule about "(.*)" is of unknown type "(.*)"$/s, (_, [about, type]) => `source policy: rule ${type} ${about}: unknown type`],
  [/^Cannot use a source policy: the rule about ".*" does not say what to convert to$/s, () => "error mutating source policy: missing destination for convert rule"],
];

/** As the table, of errors whose kind BuildKit tells too. */
const coded: typeof table = [
  [/^Build cancelled$/, () => "context canceled"],
  [/^Cannot tell which build is meant: the call has no /, () => "no buildid found in context"],
  [/^No such build "(.*)"$/, (_, [ref]) => `no such job ${ref}`],
];

const FAILED_CHECK = /^The check (\w+) fails the build/;

/** BuildKit's words for an error, where ours are others, and whether it says what kind of error it is; else null. */
export function buildkitWords(error: TbuildError): { readonly text: string; readonly hasKind: boolean } | null {
  const rule = FAILED_CHECK.exec(error.hint ?? "")?.[1];
  if (rule !== undefined) return { text: `lint violation found for rules: ${rule}`, hasKind: false };
  const [text, kind] = [wordsIn(table, error), wordsIn(coded, error)];
  if (text !== null) return { text, hasKind: false };
  return kind === null ? null : { text: kind, hasKind: true };
}

function wordsIn(rules: typeof table, error: TbuildError): string | null {
  for (const [pattern, words] of rules) {
    const found = pattern.exec(error.message);
    if (found !== null) return words(error, found.slice(1));
  }
  return null;
}

/** Source: containerd, platforms.Parse. */
function badComponent(text: string): string {
  const bad = text.split("/").find((part) => !/^[A-Za-z0-9_.-]+$/.test(part)) ?? "";
  return `"${bad}" is an invalid component of "${text}": platform specifier component must match "^[A-Za-z0-9_.-]+$": invalid argument`;
}

function guess(hint: string | undefined): string {
  const word = /^Did you mean "(?:--)?(.*)"\?$/.exec(hint ?? "")?.[1];
  return word === undefined ? "" : ` (did you mean ${word}?)`;
}

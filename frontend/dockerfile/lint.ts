import type { SourceRange } from "../../cache/errors.js";
import type { Warning } from "../../solver/progress.js";

const DOCS = "https://docs.docker.com/go/dockerfile/rule/";

interface Rule {
  readonly description: string;
  /** Of Docker's documentation; one with "#" is of tbuild's own. */
  readonly page: string;
  /** Only found when `# check=experimental=` asks for it. */
  readonly experimental?: true;
  readonly message: (...values: string[]) => string;
}

const suggestion = (text: string | undefined): string => (text ? ` (did you mean ${text}?)` : "");

/** The checks, by name. Source: BuildKit frontend/dockerfile/linter, whose names users write in `# check=skip=`. */
const rules = {
  StageNameCasing: {
    description: "Stage names should be lowercase",
    page: "stage-name-casing",
    message: (name) => `Stage name '${name}' should be lowercase`,
  },
  FromAsCasing: {
    description: "The 'as' keyword should match the case of the 'from' keyword",
    page: "from-as-casing",
    message: (from, as) => `'${as}' and '${from}' keywords' casing do not match`,
  },
  NoEmptyContinuation: {
    description: "Empty continuation lines will become errors in a future release",
    page: "no-empty-continuation",
    message: () => "Empty continuation line",
  },
  ConsistentInstructionCasing: {
    description: "All commands within the Dockerfile should use the same casing (either upper or lower)",
    page: "consistent-instruction-casing",
    message: (keyword, casing) => `Command '${keyword}' should match the case of the command majority (${casing})`,
  },
  DuplicateStageName: {
    description: "Stage names should be unique",
    page: "duplicate-stage-name",
    message: (name) => `Duplicate stage name "${name}", stage names should be unique`,
  },
  ReservedStageName: {
    description: "Reserved words should not be used as stage names",
    page: "reserved-stage-name",
    message: (name) => `Stage name should not use the same name as reserved stage "${name}"`,
  },
  JSONArgsRecommended: {
    description: "JSON arguments recommended for ENTRYPOINT/CMD to prevent unintended behavior related to OS signals",
    page: "json-args-recommended",
    message: (name) => `JSON arguments recommended for ${name} to prevent unintended behavior related to OS signals`,
  },
  MaintainerDeprecated: {
    description: "The MAINTAINER instruction is deprecated, use a label instead to define an image author",
    page: "maintainer-deprecated",
    message: () => "Maintainer instruction is deprecated in favor of using label",
  },
  UndefinedArgInFrom: {
    description: "FROM command must use declared ARGs",
    page: "undefined-arg-in-from",
    message: (name, near) => `FROM argument '${name}' is not declared${suggestion(near)}`,
  },
  WorkdirRelativePath: {
    description:
      "Relative workdir without an absolute workdir declared within the build can have unexpected results " +
      "if the base image changes",
    page: "workdir-relative-path",
    message: (path) => `Relative workdir "${path}" can have unexpected results if the base image changes`,
  },
  UndefinedVar: {
    description: "Variables should be defined before their use",
    page: "undefined-var",
    message: (name, near) => `Usage of undefined variable '$${name}'${suggestion(near && `$${near}`)}`,
  },
  MultipleInstructionsDisallowed: {
    description: "Multiple instructions of the same type should not be used in the same stage",
    page: "multiple-instructions-disallowed",
    message: (name) =>
      `Multiple ${name} instructions should not be used in the same stage because only the last one will be used`,
  },
  LegacyKeyValueFormat: {
    description: "Legacy key/value format with whitespace separator should not be used",
    page: "legacy-key-value-format",
    message: (name) => `"${name} key=value" should be used instead of legacy "${name} key value" format`,
  },
  InvalidBaseImagePlatform: {
    description: "Base image platform does not match expected target platform",
    page: "invalid-base-image-platform",
    message: (image, expected, actual) =>
      `Base image ${image} was pulled with platform "${actual}", expected "${expected}" for current build`,
  },
  RedundantTargetPlatform: {
    description: "Setting platform to predefined $TARGETPLATFORM in FROM is redundant as this is the default behavior",
    page: "redundant-target-platform",
    message: (word) => `Setting platform to predefined ${word} in FROM is redundant as this is the default behavior`,
  },
  SecretsUsedInArgOrEnv: {
    description: "Sensitive data should not be used in the ARG or ENV commands",
    page: "secrets-used-in-arg-or-env",
    message: (instruction, key) => `Do not use ARG or ENV instructions for sensitive data (${instruction} "${key}")`,
  },
  FromPlatformFlagConstDisallowed: {
    description: "FROM --platform flag should not use a constant value",
    page: "from-platform-flag-const-disallowed",
    message: (platform) => `FROM --platform flag should not use constant value "${platform}"`,
  },
  ExposeProtoCasing: {
    description: "Protocol in EXPOSE instruction should be lowercase",
    page: "expose-proto-casing",
    message: (port) => `Defined protocol '${port}' in EXPOSE instruction should be lowercase`,
  },
  ExposeInvalidFormat: {
    description:
      "IP address and host-port mapping should not be used in EXPOSE instruction. This will become an error in a future release",
    page: "expose-invalid-format",
    message: (port) => `EXPOSE instruction should not define an IP address or host-port mapping, found '${port}'`,
  },
  InvalidDefaultArgInFrom: {
    description: "Default value for global ARG results in an empty or invalid base image name",
    page: "invalid-default-arg-in-from",
    message: (name) => `Default value for ARG ${name} results in empty or invalid base image name`,
  },
  CopyIgnoredFile: {
    description: "Attempting to Copy file that is excluded by .dockerignore",
    page: "copy-ignored-file",
    message: (instruction, file) => `Attempting to ${instruction} file "${file}" that is excluded by .dockerignore`,
  },
  InvalidDefinitionDescription: {
    description:
      "Comment for build stage or argument should follow the format: `# <arg/stage name> <description>`. If this is not " +
      "intended to be a description comment, add an empty line or comment between the instruction and the comment.",
    page: "invalid-definition-description",
    message: (instruction, name) => `Comment for ${instruction} should follow the format: \`# ${name} <description>\``,
    experimental: true,
  },
  SecretValueExposed: {
    description: "The value of a build secret should only be used through RUN --mount=type=secret",
    page: "docs/checks.md#secretvalueexposed",
    message: (where, id) => `${where} contains the value of secret "${id}", which others can read in the image or its history`,
  },
  CacheBustingOrder: {
    description: "Dependencies should be installed before the whole context is copied",
    page: "docs/checks.md#cachebustingorder",
    message: (keyword, command, files) =>
      `"${command}" runs again whenever a file of the context changes: copy ${files} and run it before this ${keyword}`,
  },
  WastedFiles: {
    description: "Files that a later layer deletes or replaces stay in the image",
    page: "docs/checks.md#wastedfiles",
    message: (bytes, where, files) => `${bytes} of files from here are deleted or replaced ${where}, but stay in the image: ${files}`,
  },
} satisfies Readonly<Record<string, Rule>>;

/** Name of a check. */
export type RuleName = keyof typeof rules;

/** Where warnings go while a file is converted. */
export type WarningSink = (warning: Warning) => void;

/** The warning of a check; `values` fill its message in the rule's order. */
export function violation(name: RuleName, at: SourceRange | null, ...values: string[]): Warning {
  const rule: Rule = rules[name];
  const url = rule.page.includes("#") ? rule.page : `${DOCS}${rule.page}/`;
  return { rule: name, message: rule.message(...values), detail: rule.description, url, at };
}

/** True for a check that has to be asked for. */
export function isExperimental(name: string): boolean {
  return Object.hasOwn(rules, name) && (rules as Readonly<Record<string, Rule>>)[name]?.experimental === true;
}

const SECRET = /(?:_|^)(?:apikey|auth|credential|credentials|key|password|pword|passwd|secret|token)(?:_|$)/i;
const NOT_SECRET = /(?:_|^)(?:public|file|version)(?:_|$)/i;

/** True when a variable's name says that its value is a secret. */
export function looksSecret(key: string): boolean {
  return SECRET.test(key) && !NOT_SECRET.test(key);
}

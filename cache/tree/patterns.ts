/**
 * Patterns of an ignore file in order, cleaned, comments and blanks removed, `!` kept.
 * Source: features of moby/patternmatcher, see `compilePatterns`.
 */
export type IgnoreRules = readonly string[];

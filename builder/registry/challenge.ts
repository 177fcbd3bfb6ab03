/** One challenge of a WWW-Authenticate header. Source: RFC 9110 11.3; distribution spec "token". */
export interface Challenge {
  /** Lower case: "bearer", "basic". */
  readonly scheme: string;
  /** Names in lower case. */
  readonly params: Readonly<Record<string, string>>;
}

const PART = /\s*,?\s*([\w!#$%&'*+.^`|~-]+)(?:\s*=\s*("(?:[^"\\]|\\.)*"|[^\s,"]*))?/y;

/** Challenges in the header's order. Text that fits no grammar ends the list, since it comes from outside. */
export function parseChallenges(header: string): readonly Challenge[] {
  const challenges: { scheme: string; params: Record<string, string> }[] = [];
  PART.lastIndex = 0;
  for (let part = PART.exec(header); part !== null && part[0] !== ""; part = PART.exec(header)) {
    const [, name, value] = part;
    if (value === undefined) challenges.push({ scheme: name!.toLowerCase(), params: {} });
    else if (challenges.length > 0) challenges.at(-1)!.params[name!.toLowerCase()] = unquote(value);
  }
  return challenges;
}

function unquote(value: string): string {
  return value.startsWith('"') ? value.slice(1, -1).replaceAll(/\\(.)/g, "$1") : value;
}

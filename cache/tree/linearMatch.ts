/** Longest expression, and most stars, that backtracking is trusted with. */
const LONGEST = 1_000;
const MOST_STARS = 2;

/**
 * A test for `^source$`: the engine's own where that is quick on every text, else {@link linearMatch}.
 * @throws {SyntaxError} when `source` is no regular expression
 */
export function regexpTest(source: string): (text: string) => boolean {
  if (source.length > LONGEST || source.split("*").length - 1 > MOST_STARS) return linearMatch(source);
  const regexp = new RegExp(`^${source}$`, "u");
  return (text) => regexp.test(text);
}

/** A piece of a pattern: which character it takes, and whether it may take any number of them. */
interface Atom {
  readonly takes: (char: string) => boolean;
  readonly many: boolean;
}

/** `(.*\/)?` is two ways on: from its start to behind it, or through any characters and a slash. */
type Piece = Atom | "directories";

/**
 * Matches like `new RegExp("^" + source + "$", "u")`, but never in more than path × pattern steps, whatever the stars. `source`
 * has only what ignore patterns become: characters, escapes, classes, `.`, `*` behind any of them, and `(.*\/)?`.
 */
export function linearMatch(source: string): (path: string) => boolean {
  const nodes = piecesOf(source).flatMap(flatten);
  return (path) => {
    const states = stateSet(nodes);
    states.enter(0);
    for (const char of path) if (!states.advance(char)) return false;
    return states.has(nodes.length);
  };
}

/** A fork takes nothing: it leads to the atom behind it, and past the group that it stands before. */
type Node = Atom | { readonly past: number };

const anything: Atom = { takes: (char) => char !== "\n", many: true };
const slash: Atom = { takes: (char) => char === "/", many: false };

function flatten(piece: Piece): readonly Node[] {
  return piece === "directories" ? [{ past: 3 }, anything, slash] : [piece];
}

/** The nodes that the text so far leads to. Plain arrays with a mark per node: this is the inner loop. */
function stateSet(nodes: readonly Node[]) {
  const marks = new Int32Array(nodes.length + 1);
  let now: number[] = [];
  let round = 1;

  /** Adds a node and all that is reached from it without a character. */
  function enter(first: number): void {
    for (const open = [first]; open.length > 0; ) {
      const at = open.pop()!;
      if (marks[at] === round) continue;
      marks[at] = round;
      now.push(at);
      const node = nodes[at];
      if (node === undefined) continue;
      if ("past" in node) open.push(at + 1, at + node.past);
      else if (node.many) open.push(at + 1);
    }
  }

  /** False when no node takes `char`. */
  function advance(char: string): boolean {
    const before = now;
    now = [];
    round++;
    for (const at of before) {
      const node = nodes[at];
      if (node !== undefined && !("past" in node) && node.takes(char)) enter(node.many ? at : at + 1);
    }
    return now.length > 0;
  }

  return { enter, advance, has: (at: number) => marks[at] === round };
}

const PIECE = /\(\.\*\/\)\?|(?:\\u\{[0-9a-f]+\}|\\.|\[\^?(?:\\u\{[0-9a-f]+\}|\\.|[^\]\\])*\]|.)\*?/gsu;

function piecesOf(source: string): readonly Piece[] {
  return (source.match(PIECE) ?? []).map((text) => {
    if (text === "(.*/)?") return "directories";
    const many = text.length > 1 && text.endsWith("*") && text !== "\\*";
    return { takes: charTest(many ? text.slice(0, -1) : text), many };
  });
}

function charTest(text: string): Atom["takes"] {
  if ([...text].length === 1 && !".^$".includes(text)) return (char) => char === text;
  const regexp = new RegExp(`^${text}$`, "u");
  return (char) => regexp.test(char);
}

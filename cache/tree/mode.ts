import { TbuildError } from "../errors.js";

/** Computes the new permission bits (with setuid, setgid, sticky) of a file from its old ones. */
export type ModeChange = (mode: number, isDirectory: boolean) => number;

const all = { u: 0o4700, g: 0o2070, o: 0o0007, a: 0o6777 } as const;
const shift = { u: 6, g: 3, o: 0 } as const;

/**
 * Compiles what `--chmod` takes: octal digits or chmod(1)'s clauses ("u=rwX,go=rX", "a+x", "g=u-w"), with a umask of 0.
 * Source: tonistiigi/dchapes-mode (BSD setmode), which decides where chmod(1) and BSD differ: "X" looks at the
 * mode before all clauses, and "=" without "u", "g", "o" or "a" keeps the sticky bit.
 * @throws {TbuildError} invalid_argument
 */
export function parseMode(text: string): ModeChange {
  if (/^[0-9]/.test(text)) {
    if (!/^[0-7]{1,6}$/.test(text) || parseInt(text, 8) > 0o7777) throw badMode(text);
    const mode = parseInt(text, 8);
    return () => mode;
  }
  const steps = text.split(",").flatMap((clause) => parseClause(clause, text));
  return (mode, isDirectory) => steps.reduce((now, step) => step(now, mode, isDirectory), mode);
}

type Step = (now: number, before: number, isDirectory: boolean) => number;

function parseClause(clause: string, text: string): Step[] {
  const match = /^([ugoa]*)((?:[-+=][rwxXstugo]*)+)$/.exec(clause);
  if (match === null) throw badMode(text);
  const who = [...match[1]!].reduce((bits, letter) => bits | all[letter as keyof typeof all], 0);
  return [...match[2]!.matchAll(/([-+=])([rwxXstugo]*)/g)].map((op) => operation(who, op[1]!, op[2]!));
}

function operation(who: number, op: string, letters: string): Step {
  const reach = who === 0 ? all.a : who;
  const onlyOthers = who !== 0 && (who & ~0o7) === 0;
  const sticky = letters.includes("t") && !onlyOthers ? 0o1000 : 0;
  return (now, before, isDirectory) => {
    let bits = sticky;
    for (const letter of letters) bits |= letterBits(letter, op, now, before, isDirectory) & reach;
    if (onlyOthers) bits &= 0o7;
    if (op === "+") return now | bits;
    if (op === "-") return now & ~bits;
    return (now & ~(reach | sticky)) | bits;
  };
}

function letterBits(letter: string, op: string, now: number, before: number, isDirectory: boolean): number {
  switch (letter) {
    case "r": return 0o444;
    case "w": return 0o222;
    case "x": return 0o111;
    case "X": return op === "-" || isDirectory || (before & 0o111) !== 0 ? 0o111 : 0;
    case "s": return 0o6000;
    case "t": return 0;
    default: return ((now >> shift[letter as keyof typeof shift]) & 0o7) * 0o111;
  }
}

function badMode(text: string): TbuildError {
  return new TbuildError("invalid_argument", `Cannot use mode "${text}"`, {
    hint: 'Write octal digits ("755") or clauses such as "u=rwX,go=rX"',
  });
}

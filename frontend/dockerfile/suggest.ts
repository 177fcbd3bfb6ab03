const farthest = 2;
const longestWord = 100;
/** Of more names none is a likely slip, and a file of thousands stays quick. */
const mostCandidates = 200;

/**
 * The candidate that `word` most likely stands for: at most two edits away whatever the case, the first of equals.
 * Null when none is close, or when `word` is itself a candidate.
 */
export function suggest(word: string, candidates: Iterable<string>): string | null {
  if (word.length > longestWord) return null;
  const wanted = word.toLowerCase();
  let best: string | null = null;
  let bestDistance = Math.min(farthest + 1, wanted.length);
  let seen = 0;
  for (const candidate of candidates) {
    if (candidate === word) return null;
    if (seen++ === mostCandidates) break;
    if (Math.abs(candidate.length - wanted.length) >= bestDistance) continue;
    const distance = editDistance(wanted, candidate.toLowerCase());
    if (distance >= bestDistance) continue;
    best = candidate;
    bestDistance = distance;
  }
  return best;
}

/** Edits from `a` to `b`; two neighbours swapped are one edit. */
function editDistance(a: string, b: string): number {
  let twoAbove: number[] = [];
  let above = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const replaced = above[column - 1]! + (a[row - 1] === b[column - 1] ? 0 : 1);
      const swapped = a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1] ? twoAbove[column - 2]! + 1 : Infinity;
      current.push(Math.min(replaced, swapped, above[column]! + 1, current[column - 1]! + 1));
    }
    twoAbove = above;
    above = current;
  }
  return above[b.length]!;
}

import type { FileOp, FileOpAction } from "../../solver/llb/op.js";

/** Actions that follow one another on one tree, so that they can be done in one snapshot. */
export interface ActionChain {
  /** Input of the first action, as FileOpAction.input has it. */
  readonly input: number;
  readonly actions: readonly FileOpAction[];
  /** Index in the op of the last action: its result is the chain's. */
  readonly last: number;
  /** Output index of the op, or -1. */
  readonly output: number;
}

/**
 * Cuts the actions of an op into chains, in an order in which every chain's inputs come first. An action continues the
 * one before it only when nothing else uses that one's result.
 */
export function actionChains(op: FileOp, inputCount: number): readonly ActionChain[] {
  const chains: ActionChain[] = [];
  op.actions.forEach((action, index) => {
    const previous = chains.at(-1);
    const follows = previous !== undefined && action.input === inputCount + previous.last && isOnlyUser(op, index, inputCount, previous);
    if (follows) chains[chains.length - 1] = { ...previous, actions: [...previous.actions, action], last: index, output: action.output };
    else chains.push({ input: action.input, actions: [action], last: index, output: action.output });
  });
  return chains;
}

function isOnlyUser(op: FileOp, index: number, inputCount: number, previous: ActionChain): boolean {
  if (previous.output >= 0) return false;
  const result = inputCount + previous.last;
  return op.actions.every((action, other) => action.secondaryInput !== result && (other === index || action.input !== result));
}

/**
 * Everything that `last` needs, and `last`: each once, inputs before users, inputs of one user in their order.
 * A loop, because a stage of thousands of steps would overflow the stack.
 */
export function inputsFirst<T>(last: T, inputsOf: (item: T) => readonly T[]): T[] {
  const order = new Set<T>();
  const stack = [{ item: last, inputs: inputsOf(last), next: 0 }];
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    if (top.next === top.inputs.length || order.has(top.item)) {
      order.add(top.item);
      stack.pop();
      continue;
    }
    const item = top.inputs[top.next++] as T;
    if (!order.has(item)) stack.push({ item, inputs: inputsOf(item), next: 0 });
  }
  return [...order];
}

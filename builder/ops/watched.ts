import type { OpRunner } from "../../solver/opRunner.js";

/** The same runner, telling of every result as soon as it is there. */
export function watched<R>(inner: OpRunner<R>, onResult: (result: R) => void): OpRunner<R> {
  return {
    cacheMap: (vertex, opts) => inner.cacheMap(vertex, opts),
    async exec(vertex, inputs, opts) {
      const outputs = await inner.exec(vertex, inputs, opts);
      for (const output of outputs) onResult(output);
      return outputs;
    },
  };
}

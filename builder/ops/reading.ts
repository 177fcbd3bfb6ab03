import type { Ref } from "../../cache/ref.js";
import type { OpRunner } from "../../solver/opRunner.js";
import type { BringHere } from "../image/absent.js";

/** The same runner, whose inputs' files are here when it reads them. */
export function reading(inner: OpRunner<Ref>, bringHere: BringHere): OpRunner<Ref> {
  return {
    async cacheMap(vertex, opts) {
      const map = await inner.cacheMap(vertex, opts);
      const inputs = map.inputs.map((input) => ({
        ...input,
        async content(...[ref, reader]: Parameters<typeof input.content>) {
          await bringHere([ref], reader);
          return await input.content(ref, reader);
        },
      }));
      return { ...map, inputs };
    },
    async exec(vertex, inputs, opts) {
      await bringHere(inputs, opts);
      return await inner.exec(vertex, inputs, opts);
    },
  };
}

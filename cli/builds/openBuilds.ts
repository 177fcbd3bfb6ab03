import type { Builder } from "../../builder/builder.js";
import type { BuildHistory } from "../../builder/history/buildHistory.js";
import { chosenNodes } from "../builders/choose.js";
import type { Terminal } from "../terminal.js";
import type { BuilderArgs, GlobalArgs } from "../args/values.js";

/** The builds that a command is about, until they are disposed. */
export interface OpenBuilds extends AsyncDisposable {
  readonly history: BuildHistory;
}

/** Those of the builder that is named or in use, else those of the store. Nodes that do not answer are told of. @throws {TbuildError} */
export async function openBuilds(args: GlobalArgs & BuilderArgs, { stderr }: Pick<Terminal, "stderr">, signal: AbortSignal): Promise<OpenBuilds> {
  const nodes = chosenNodes(args);
  if (nodes.length === 0) {
    const store = await openLocal(args);
    const { localHistory } = await import("../../builder/history/localHistory.js");
    return { history: localHistory(store.store), [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() };
  }
  const { builderNodes } = await import("../../builder/remote/nodes/node.js");
  const { openNodesHistory } = await import("../../builder/remote/nodes/nodesHistory.js");
  const tell = (name: string, why: unknown) => void stderr.write(`WARNING: Leaving out the node "${name}": ${(why as Error).message}\n`);
  const history = await openNodesHistory(builderNodes(nodes), tell, { signal });
  return { history, [Symbol.asyncDispose]: async () => history[Symbol.dispose]() };
}

/** The store of this machine, wherever builds run. */
export async function openLocal({ root, config }: GlobalArgs): Promise<Builder> {
  const { createBuilder } = await import("../../builder/builder.js");
  return await createBuilder({ root, configFile: config });
}

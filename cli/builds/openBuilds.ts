import type { Builder } from "../../builder/builder.js";
import type { BuildHistory } from "../../builder/history/buildHistory.js";
import type { BuilderArgs, GlobalArgs } from "../args/values.js";

/** The builds that a command is about, until they are disposed. */
export interface OpenBuilds extends AsyncDisposable {
  readonly history: BuildHistory;
}

/** Those of a builder if one is named, else those of the store. @throws {TbuildError} */
export async function openBuilds(args: GlobalArgs & BuilderArgs, signal: AbortSignal): Promise<OpenBuilds> {
  if (args.builder === undefined) {
    const store = await openLocal(args);
    const { localHistory } = await import("../../builder/history/localHistory.js");
    return { history: localHistory(store.store), [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() };
  }
  const { builderPlace } = await import("../../builder/remote/place.js");
  const { openHistory } = await import("../../builder/remote/remoteHistory.js");
  const history = await openHistory(builderPlace(args.builder, args.tls), { signal });
  return { history, [Symbol.asyncDispose]: async () => history[Symbol.dispose]() };
}

/** The store of this machine, wherever builds run. */
export async function openLocal({ root, config }: GlobalArgs): Promise<Builder> {
  const { createBuilder } = await import("../../builder/builder.js");
  return await createBuilder({ root, configFile: config });
}

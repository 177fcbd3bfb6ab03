import type { Store } from "../../cache/store.js";
import type { RemoteAccess } from "../remote.js";
import type { SshAgents } from "../secrets/agents.js";
import type { SecretStore } from "../secrets/secretStore.js";
import { createGitSource } from "./git.js";
import { createHttpSource } from "./http.js";
import { type ResolvedOnce, resolvedOnce } from "./resolvedOnce.js";
import type { Source } from "./source.js";

/** What the sources of one build work with. */
export interface SourceDeps {
  readonly store: Store;
  readonly remote: Pick<RemoteAccess, "sources" | "transport">;
  readonly secrets: SecretStore;
  readonly agents: SshAgents;
  /** What `local://` stands for. */
  readonly local: Source;
  /** What sources have turned out to be; default: nothing yet. */
  readonly resolved?: ResolvedOnce | undefined;
  /** Stands before downloads. */
  readonly aroundHttp?: ((downloads: Source) => Source) | undefined;
}

/** Every source that a build can read. */
export function buildSources({ store, remote, secrets, agents, local, resolved = resolvedOnce(), aroundHttp = (downloads) => downloads }: SourceDeps): readonly Source[] {
  const { transport } = remote;
  const downloads = aroundHttp(createHttpSource({ store, transport, secrets }));
  return [...remote.sources, local, resolved.around(downloads), resolved.around(createGitSource({ store, transport, secrets, agents }, resolved.gitRefs))];
}

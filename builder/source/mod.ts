import type { Store } from "../../cache/store.js";
import type { RemoteAccess } from "../remote.js";
import type { SshAgents } from "../secrets/agents.js";
import type { SecretStore } from "../secrets/secretStore.js";
import { createGitSource } from "./git.js";
import { createHttpSource } from "./http.js";
import type { Source } from "./source.js";

/** What the sources of one build work with. */
export interface SourceDeps {
  readonly store: Store;
  readonly remote: Pick<RemoteAccess, "sources" | "transport">;
  readonly secrets: SecretStore;
  readonly agents: SshAgents;
  /** What `local://` stands for. */
  readonly local: Source;
}

/** Every source that a build can read. */
export function buildSources({ store, remote, secrets, agents, local }: SourceDeps): readonly Source[] {
  const { transport } = remote;
  return [...remote.sources, local, createHttpSource({ store, transport, secrets }), createGitSource({ store, transport, secrets, agents })];
}

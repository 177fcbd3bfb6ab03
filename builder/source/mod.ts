import type { Store } from "../../cache/store.js";
import type { RemoteAccess } from "../remote.js";
import type { SshAgents } from "../secrets/agents.js";
import type { SecretStore } from "../secrets/secretStore.js";
import { createGitSource } from "./git.js";
import { createHttpSource } from "./http.js";
import { type LocalDirectory, localSource } from "./local.js";
import type { Source } from "./source.js";

/** What the sources of one build work with. */
export interface SourceDeps {
  readonly store: Store;
  readonly remote: Pick<RemoteAccess, "sources" | "transport">;
  readonly secrets: SecretStore;
  readonly agents: SshAgents;
}

/** Every source that a build can read. `locals` by the name they have in `local://name`. */
export function buildSources({ store, remote, secrets, agents }: SourceDeps, locals: ReadonlyMap<string, LocalDirectory>): readonly Source[] {
  const { transport } = remote;
  return [...remote.sources, localSource(locals), createHttpSource({ store, transport, secrets }), createGitSource({ store, transport, secrets, agents })];
}

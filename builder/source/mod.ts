import type { Store } from "../../cache/store.js";
import type { RemoteAccess } from "../remote.js";
import type { SshAgents } from "../secrets/agents.js";
import type { SecretStore } from "../secrets/secretStore.js";
import { createGitSource } from "./git.js";
import { createHttpSource } from "./http.js";
import { notedBy, type SourcePins } from "./pins.js";
import { type ResolvedOnce, resolvedOnce } from "./resolvedOnce.js";
import type { Source } from "./source.js";

/** What the sources of one build work with. */
export interface SourceDeps {
  readonly store: Store;
  readonly remote: Pick<RemoteAccess, "sources" | "transport" | "bringBlob">;
  readonly secrets: SecretStore;
  readonly agents: SshAgents;
  /** What `local://` stands for. */
  readonly local: Source;
  /** What sources have turned out to be; default: nothing yet. */
  readonly resolved?: ResolvedOnce | undefined;
  /** Stands before downloads. */
  readonly aroundHttp?: ((downloads: Source) => Source) | undefined;
  /** Hears what they find out. */
  readonly pins?: SourcePins | undefined;
}

/** Every source that a build can read. */
export function buildSources({ store, remote, secrets, agents, local, pins, resolved = resolvedOnce(), aroundHttp = (downloads) => downloads }: SourceDeps): readonly Source[] {
  const { transport, bringBlob } = remote;
  const downloads = aroundHttp(createHttpSource({ store, transport, secrets }));
  const git = createGitSource({ store, transport, secrets, agents, bringBlob }, resolved.gitRefs);
  return notedBy(pins, [...remote.sources, local, resolved.around(downloads), resolved.around(git)]);
}

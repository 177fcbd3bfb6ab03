import { createMasker } from "./mask.js";
import type { SecretStore } from "./secretStore.js";

/** Takes what a process prints. */
export type OnOutput = (stream: 1 | 2, chunk: Uint8Array) => void;

/** Passes both streams on to `onOutput` without the values of secrets that were read so far. `end` passes on what is left. */
export function maskedOutput(secrets: SecretStore, onOutput: OnOutput): { readonly push: OnOutput; readonly end: () => void } {
  const values = secrets.known().map(({ value }) => value);
  if (values.length === 0) return { push: onOutput, end: () => {} };
  const maskers = { 1: createMasker(values), 2: createMasker(values) };
  const pass = (stream: 1 | 2, chunk: Buffer) => {
    if (chunk.length > 0) onOutput(stream, chunk);
  };
  return {
    push: (stream, chunk) => pass(stream, maskers[stream].push(chunk)),
    end: () => {
      pass(1, maskers[1].end());
      pass(2, maskers[2].end());
    },
  };
}

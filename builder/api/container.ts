import { containerMount, execMeta, secretEnv } from "../../solver/llb/codecExec.js";
import { platform } from "../../solver/llb/codecRest.js";
import { blob, child, children, flag, int, ints, oneOf, text } from "../../solver/llb/message.js";
import { empty, status } from "./common.js";
import { type Decoded, type Encodable, schema } from "./schema.js";

/** `NewContainerRequest`. */
export const newContainerRequest = schema({
  containerId: text(1),
  mounts: children(2, containerMount),
  network: oneOf(3, ["unset", "host", "none"]),
  platform: child(4, platform),
  extraHosts: children(6, schema({ host: text(1), ip: text(2) })),
  hostname: text(7),
});

/** See {@link newContainerRequest}. */
export type NewContainerRequest = Decoded<typeof newContainerRequest>;

/** `ReleaseContainerRequest`. */
export const releaseContainerRequest = schema({ containerId: text(1) });

const initMessage = schema({
  containerId: text(1),
  meta: child(2, execMeta),
  fds: ints(3),
  tty: flag(4),
  /** As a step's security mode; what is unknown has to be answered for the one process. */
  security: int(5),
  secretEnv: children(6, secretEnv),
});

/** Asks for a process. */
export type InitMessage = Decoded<typeof initMessage>;

/** `ExecMessage`: of all but the first field, one is there. Clients send init, file, resize and signal. */
export const execMessage = schema({
  processId: text(1),
  init: child(2, initMessage),
  file: child(3, schema({ fd: int(1), eof: flag(2), data: blob(3) })),
  resize: child(4, schema({ rows: int(1), cols: int(2) })),
  started: child(5, empty),
  exit: child(6, schema({ code: int(1), error: child(2, status) })),
  done: child(7, empty),
  signal: child(8, schema({ name: text(1) })),
});

/** See {@link execMessage}. */
export type ExecMessage = Decoded<typeof execMessage>;

/** What may be sent as an {@link execMessage}. */
export type ExecMessageInput = Encodable<typeof execMessage>;

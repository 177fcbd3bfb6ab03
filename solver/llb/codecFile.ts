import { type Codec, bigint, blob, child, children, flag, int, mapped, message, text, texts } from "./message.js";
import type { ChownOpt, FileActionBody, FileOp, FileOpAction, UserOpt } from "./op.js";
import { malformed, parseFields, writeVarint } from "./wire.js";

type Named = Extract<UserOpt, { name: string }>;
type Body<K extends FileActionBody["kind"]> = Omit<Extract<FileActionBody, { kind: K }>, "kind">;

const named = message<Named>({ name: text(1), input: int(2) });

/** pb.UserOpt, by hand: both arms of the oneof are written whatever their value, and uid 0 must stay. */
const userOpt: Codec<UserOpt | null> = {
  write(out, user) {
    if (user !== null && "name" in user) child(1, named).write(out, user);
    if (user !== null && "id" in user) writeVarint(out, 2, user.id);
  },
  decode(bytes) {
    const fields = parseFields(bytes);
    if (fields.has(1)) return child(1, named).read(fields.get(1) ?? []);
    return fields.has(2) ? { id: int(2).read(fields.get(2) ?? []) } : null;
  },
};

const chown = message<ChownOpt>({ user: child(1, userOpt), group: child(2, userOpt) });

const copy = message<Body<"copy">>({
  src: text(1),
  dest: text(2),
  owner: child(3, chown),
  mode: int(4),
  followSymlink: flag(5),
  dirCopyContents: flag(6),
  attemptUnpack: flag(7),
  createDestPath: flag(8),
  allowWildcard: flag(9),
  allowEmptyWildcard: flag(10),
  timestamp: bigint(11),
  includePatterns: texts(12),
  excludePatterns: texts(13),
  alwaysReplaceExistingDestPaths: flag(14),
  modeStr: text(15),
  requiredPaths: texts(16),
});

const mkfile = message<Body<"mkfile">>({
  path: text(1),
  mode: int(2),
  data: blob(3),
  owner: child(4, chown),
  timestamp: bigint(5),
});

const mkdir = message<Body<"mkdir">>({
  path: text(1),
  mode: int(2),
  makeParents: flag(3),
  owner: child(4, chown),
  timestamp: bigint(5),
});

const rm = message<Body<"rm">>({ path: text(1), allowNotFound: flag(2), allowWildcard: flag(3) });

const symlink = message<Body<"symlink">>({ oldpath: text(1), newpath: text(2), owner: child(3, chown), timestamp: bigint(4) });

interface WireAction extends Omit<FileOpAction, "action"> {
  readonly copy: Body<"copy"> | null;
  readonly mkfile: Body<"mkfile"> | null;
  readonly mkdir: Body<"mkdir"> | null;
  readonly rm: Body<"rm"> | null;
  readonly symlink: Body<"symlink"> | null;
}

const action = mapped(
  message<WireAction>({
    input: int(1),
    secondaryInput: int(2),
    output: int(3),
    copy: child(4, copy),
    mkfile: child(5, mkfile),
    mkdir: child(6, mkdir),
    rm: child(7, rm),
    symlink: child(8, symlink),
  }),
  actionToWire,
  actionFromWire,
);

/** pb.FileOp. */
export const fileOp: Codec<FileOp> = mapped(
  message<Omit<FileOp, "kind">>({ actions: children(2, action) }),
  (op) => op,
  (wire) => ({ kind: "file", ...wire }),
);

function actionToWire({ input, secondaryInput, output, action: body }: FileOpAction): WireAction {
  return {
    input,
    secondaryInput,
    output,
    copy: body.kind === "copy" ? body : null,
    mkfile: body.kind === "mkfile" ? body : null,
    mkdir: body.kind === "mkdir" ? body : null,
    rm: body.kind === "rm" ? body : null,
    symlink: body.kind === "symlink" ? body : null,
  };
}

function actionFromWire({ input, secondaryInput, output, ...arms }: WireAction): FileOpAction {
  return { input, secondaryInput, output, action: bodyOf(arms) };
}

function bodyOf(arms: Pick<WireAction, FileActionBody["kind"]>): FileActionBody {
  if (arms.copy !== null) return { kind: "copy", ...arms.copy };
  if (arms.mkfile !== null) return { kind: "mkfile", ...arms.mkfile };
  if (arms.mkdir !== null) return { kind: "mkdir", ...arms.mkdir };
  if (arms.rm !== null) return { kind: "rm", ...arms.rm };
  if (arms.symlink !== null) return { kind: "symlink", ...arms.symlink };
  throw malformed("unknown kind of file action");
}

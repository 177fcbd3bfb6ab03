import { TbuildError } from "../../cache/errors.js";
import { readTextInRoot } from "./rootFile.js";

/** Ids that a process runs with. */
export interface ResolvedUser {
  readonly uid: number;
  readonly gid: number;
  readonly additionalGids: readonly number[];
}

/** Name → id tables of a root file system. */
export interface Accounts {
  readonly users: readonly PasswdEntry[];
  readonly groups: readonly GroupEntry[];
}

interface PasswdEntry {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

interface GroupEntry {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

const MAX_ID = 2 ** 31 - 1;

/** Accounts of the tree at `root`; a missing passwd or group file has no entries. */
export function readAccounts(root: string): Accounts {
  return parseAccounts(readTextInRoot(root, "/etc/passwd") ?? "", readTextInRoot(root, "/etc/group") ?? "");
}

/** Parses passwd(5) and group(5); malformed lines are left out, as libc does. */
export function parseAccounts(passwd: string, group: string): Accounts {
  const users = rows(passwd).flatMap(([name = "", , uid = "", gid = ""]) =>
    name === "" || !isId(uid) || !isId(gid) ? [] : [{ name, uid: Number(uid), gid: Number(gid) }],
  );
  const groups = rows(group).flatMap(([name = "", , gid = "", members = ""]) =>
    name === "" || !isId(gid) ? [] : [{ name, gid: Number(gid), members: members.split(",").filter((member) => member !== "") }],
  );
  return { users, groups };
}

/**
 * Ids for `user[:group]`, each a name or a number; empty is root. A number without an account has group 0. Only a user
 * without an explicit group gets its supplementary groups, as Docker has it.
 * @throws {TbuildError} not_found for a name without an account, invalid_argument for an id out of range
 */
export function resolveUser(text: string, accounts: Accounts): ResolvedUser {
  const [userPart = "", groupPart = ""] = text.split(":");
  const account = findUser(userPart === "" ? "0" : userPart, accounts);
  if (groupPart !== "") return { uid: account.uid, gid: groupId(groupPart, accounts), additionalGids: [] };
  const additionalGids = accounts.groups.filter((group) => group.members.includes(account.name)).map((group) => group.gid);
  return { uid: account.uid, gid: account.gid, additionalGids };
}

/** Ids of a user name or number, with the group that passwd gives it. @throws {TbuildError} as {@link resolveUser} */
export function userIds(text: string, accounts: Accounts): { readonly uid: number; readonly gid: number } {
  return findUser(text, accounts);
}

/** Id of a group name or number. @throws {TbuildError} as {@link resolveUser} */
export function groupId(text: string, accounts: Accounts): number {
  const named = accounts.groups.find((group) => group.name === text);
  if (named !== undefined) return named.gid;
  if (isId(text)) return checkedId(text);
  throw new TbuildError("not_found", `Cannot find group "${text}" in /etc/group of the image`, { hint: names(accounts.groups) });
}

function findUser(text: string, accounts: Accounts): PasswdEntry {
  const named = accounts.users.find((user) => user.name === text);
  if (named !== undefined) return named;
  if (!isId(text)) {
    throw new TbuildError("not_found", `Cannot find user "${text}" in /etc/passwd of the image`, { hint: names(accounts.users) });
  }
  const uid = checkedId(text);
  return accounts.users.find((user) => user.uid === uid) ?? { name: "", uid, gid: 0 };
}

function names(entries: readonly { readonly name: string }[]): string {
  const list = entries.slice(0, 20).map((entry) => entry.name);
  return list.length === 0 ? "The image has no accounts file; use a number" : `The image knows ${list.join(", ")}`;
}

function rows(text: string): readonly string[][] {
  return text
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => line.trim().split(":"));
}

function isId(text: string): boolean {
  return /^\d+$/.test(text);
}

function checkedId(text: string): number {
  const id = Number(text);
  if (id > MAX_ID) throw new TbuildError("invalid_argument", `Cannot use id ${text}: the largest id is ${MAX_ID}`);
  return id;
}

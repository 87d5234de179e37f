/** Numbers of users and groups by name: from `/etc/passwd` and `/etc/group`, and from `getent` for a directory service. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** @returns `undefined` when this machine has no such user */
export function userId(user: string | number): number | undefined {
  return idOf(user, "passwd");
}

/** @returns `undefined` when this machine has no such group */
export function groupId(group: string | number): number | undefined {
  return idOf(group, "group");
}

function idOf(account: string | number, table: "passwd" | "group"): number | undefined {
  if (typeof account === "number") return account;
  if (/^\d+$/.test(account)) return Number(account);
  return find(readTable(table), account) ?? find(getent(table, account), account);
}

/** `name:password:number:…` in both tables. */
function find(text: string, name: string): number | undefined {
  const line = text.split("\n").find((one) => one.startsWith(`${name}:`));
  const id = line?.split(":")[2];
  return id === undefined ? undefined : Number(id);
}

function readTable(table: string): string {
  try {
    return readFileSync(`/etc/${table}`, "utf8");
  } catch {
    return "";
  }
}

function getent(table: string, name: string): string {
  return spawnSync("getent", ["--", table, name], { encoding: "utf8", timeout: 5_000 }).stdout ?? "";
}

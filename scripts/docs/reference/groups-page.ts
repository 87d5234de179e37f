/** Page of the reference: groups, presence, names, and what can be sent to them. */
import { functionText, memberList } from "./markdown.js";
import { Source } from "./source.js";

export function groupsPage(root: string): string {
  const source = (path: string) => new Source(root, path);
  const group = source("src/groups/group.ts");
  const names = source("src/groups/names.ts");
  const request = source("src/groups/request.ts");
  const presence = source("src/tcp/protocol/presence.ts");
  const errors = source("src/groups/ask-error.ts");
  const sources = source("src/tcp/protocol/sources.ts");
  const interfaceText = (from: Source, name: string) =>
    `### ${name}\n\n${from.comment(name)}\n\n${memberList(from.members(name))}`;
  return [
    "The page on [groups and names](groups-and-names.md) shows how they are used.",
    "## What can be sent",
    memberList([sources.declared("Portable"), sources.declared("Json")]),
    "## Groups",
    functionText("group", group.functions("group")),
    functionText("groups", group.functions("groups")),
    interfaceText(group, "Group"),
    interfaceText(group, "GroupOptions"),
    "## Presence",
    interfaceText(group, "PresenceGroup"),
    interfaceText(presence, "Presence"),
    interfaceText(presence, "PresentMember"),
    memberList([presence.declared("LeftMember")]),
    "## Names",
    functionText("names", names.functions("names")),
    interfaceText(names, "Names"),
    interfaceText(names, "ClaimOptions"),
    interfaceText(names, "Claim"),
    interfaceText(request, "Request"),
    "## Errors",
    memberList([errors.declared("AskError"), errors.declared("ClaimError")]),
  ].join("\n\n");
}

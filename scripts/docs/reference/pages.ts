/** Pages of the reference, by file name in `guide/`. */
import { commandsPage } from "./commands-page.js";
import { framingsPage } from "./framings-page.js";
import { groupsPage } from "./groups-page.js";
import { metricsPage } from "./metrics-page.js";
import { protocolPage } from "./protocol-page.js";
import { routesPage } from "./routes-page.js";

const PAGES: readonly {
  readonly file: string;
  readonly title: string;
  readonly what: string;
  readonly text: (root: string) => string;
}[] = [
  {
    file: "reference-protocol.md",
    title: "Protocol",
    what: "`defineProtocol`, cells of a state, `Conn`, limits, `serve`, `connect`",
    text: protocolPage,
  },
  {
    file: "reference-groups.md",
    title: "Groups and names",
    what: "`group`, `groups`, presence, `names`, `Request`, `Portable`, `AskError`",
    text: groupsPage,
  },
  {
    file: "reference-framings.md",
    title: "Framings",
    what: "every framing with its options, and the interface of one of your own",
    text: framingsPage,
  },
  {
    file: "reference-commands.md",
    title: "Commands",
    what: "commands, flags, options, exit codes",
    text: commandsPage,
  },
  {
    file: "reference-metrics.md",
    title: "Metrics",
    what: "every series with its labels, reasons of closed and refused connections",
    text: metricsPage,
  },
  {
    file: "reference-routes.md",
    title: "Routes",
    what: "the admin server over HTTP",
    text: routesPage,
  },
];

const MADE = "<!-- Made from the source: node scripts/run.mjs reference -->";

/** @param root folder of the repository */
export function referencePages(root: string): ReadonlyMap<string, string> {
  const pages = PAGES.map(({ file, title, text }) => {
    return [file, page(`Reference: ${title.toLowerCase()}`, text(root))] as const;
  });
  const index = PAGES.map(({ file, title, what }) => `- [${title}](${file}): ${what}`).join("\n");
  return new Map([["reference.md", page("Reference", index)], ...pages]);
}

function page(title: string, text: string): string {
  return `# ${title}\n\n${MADE}\n\n${text.trim().replace(/\n{3,}/g, "\n\n")}\n`;
}

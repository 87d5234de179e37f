/** Markdown of the reference: lists of documented members, and tables. */
import type { Documented } from "./source.js";

/** Each as an item: signature, then comment. */
export function memberList(members: readonly Documented[]): string {
  return members.map(({ signature, doc }) => `- \`${signature}\`${doc === "" ? "" : `: ${doc}`}\n`).join("");
}

/** A function as a heading of its name, its signatures and its comment. */
export function functionText(name: string, { signature, doc }: Documented): string {
  return `### ${name}\n\n\`\`\`\n${signature}\n\`\`\`\n\n${doc}\n`;
}

export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [header, header.map(() => "---"), ...rows];
  return all.map((cells) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |\n`).join("");
}

export function code(text: string): string {
  return text === "" ? "" : `\`${text}\``;
}

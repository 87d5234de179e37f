/** Shell completion scripts, made from the tables of commands and options, so that they cannot be out of date. */
import { EXIT, OPTIONS, SET } from "../config/config.js";
import type { Command, Invocation } from "./command.js";
import { CommandError } from "./errors.js";

export const SHELLS = ["bash", "zsh", "fish"] as const;

const WRITERS = { bash, zsh, fish } as const;

export async function completion(
  { positionals: [shell = ""] }: Pick<Invocation, "positionals">,
  commands: readonly Command[],
): Promise<string> {
  const write = WRITERS[shell as keyof typeof WRITERS];
  if (write !== undefined && Object.hasOwn(WRITERS, shell)) return write(commands);
  throw new CommandError(
    `no completion for ${JSON.stringify(shell)}: expected ${SHELLS.join(", ")}`,
    EXIT.usage,
  );
}

/** A flag as a shell completes it. */
interface CompletedFlag {
  /** `--log-level` */
  readonly flag: string;
  readonly sentence: string;
  /** `undefined`: it takes no value. */
  readonly words: readonly string[] | undefined;
  readonly isPath: boolean;
  readonly completes?: "listeners" | undefined;
}

const SWITCHES: readonly CompletedFlag[] = [
  { flag: SET.flag, sentence: SET.sentence, words: [], isPath: false },
  { flag: "--help", sentence: "Show the help text.", words: undefined, isPath: false },
  { flag: "--version", sentence: "Show the version.", words: undefined, isPath: false },
];

function commonFlags(): CompletedFlag[] {
  const options = OPTIONS.map(({ flag, sentence, kind, bare }) => {
    return { flag, sentence, words: bare === undefined ? kind.words : undefined, isPath: kind.isPath };
  });
  return [...options, ...SWITCHES];
}

function ownFlags({ flags = [], json: hasJson, name }: Command): CompletedFlag[] {
  const offered = flags.map((flag): CompletedFlag => {
    const words = flag.placeholder === undefined ? undefined : [];
    const { name, sentence, completes } = flag;
    return { flag: `--${name}`, sentence, words, isPath: false, completes };
  });
  const json = { flag: "--json", sentence: "Print JSON.", words: undefined, isPath: false };
  const verbose = { flag: "--verbose", sentence: "Print more columns.", words: undefined, isPath: false };
  return [...offered, ...(hasJson ? [json] : []), ...(name === "config" ? [verbose] : [])];
}

/** Prints the names of the listeners of the running server, one a line. */
const LISTENERS = `drover info --json 2>/dev/null | sed -n 's/^ *"listener": "\\([^"]*\\)".*/\\1/p' | sort -u`;

/** Commands whose argument is a file or a folder. */
const WITH_PATH: readonly string[] = ["start", "dev", "check", "new"];

// -- bash -----------------------------------------------------------------------------------------------

function bash(commands: readonly Command[]): string {
  const all = commonFlags();
  const all_flags = all.map(({ flag }) => flag).join(" ");
  const values = [...all, ...commands.flatMap(ownFlags)].flatMap(({ flag, words, isPath, completes }) => {
    if (words === undefined) return [];
    if (completes)
      return [`    ${flag}) COMPREPLY=($(compgen -W "$(_drover_listeners)" -- "$word")); return ;;`];
    if (isPath) return [`    ${flag}) compopt -o default 2>/dev/null; COMPREPLY=(); return ;;`];
    return [`    ${flag}) COMPREPLY=($(compgen -W "${words.join(" ")}" -- "$word")); return ;;`];
  });
  const flags = commands.flatMap((command) => {
    const offered = ownFlags(command).map(({ flag }) => flag);
    return offered.length === 0 ? [] : [`    ${command.name}) own="${offered.join(" ")}" ;;`];
  });
  const words = commands.flatMap(({ name, words: offered, completes }) => {
    if (completes) return [`    ${name}) COMPREPLY=($(compgen -W "$(_drover_listeners)" -- "$word")) ;;`];
    if (WITH_PATH.includes(name)) return [`    ${name}) compopt -o default 2>/dev/null; COMPREPLY=() ;;`];
    return offered ? [`    ${name}) COMPREPLY=($(compgen -W "${offered.join(" ")}" -- "$word")) ;;`] : [];
  });
  return `# drover completion for bash: source <(drover completion bash)
_drover_listeners() {
  ${LISTENERS}
}
_drover() {
  local word="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" command="" own="" at
  # "=" is a word of its own here: --log-level = debug
  if [[ $word == "=" ]]; then word=""; elif [[ $before == "=" ]]; then before="\${COMP_WORDS[COMP_CWORD-2]}"; fi
  for ((at = 1; at < COMP_CWORD; at++)); do
    case " ${commands.map(({ name }) => name).join(" ")} " in *" \${COMP_WORDS[at]} "*) command="\${COMP_WORDS[at]}"; break ;; esac
  done
  case "$before" in
${[...new Set(values)].join("\n")}
  esac
  if [[ $word == -* ]]; then
    case "$command" in
${flags.join("\n")}
    esac
    COMPREPLY=($(compgen -W "${all_flags} $own" -- "$word"))
    return
  fi
  case "$command" in
    "") COMPREPLY=($(compgen -W "${commands.map(({ name }) => name).join(" ")}" -- "$word")) ;;
${words.join("\n")}
  esac
}
complete -F _drover drover
`;
}

// -- zsh ------------------------------------------------------------------------------------------------

/** Quotes text for single quotes; zsh gives colons and brackets a meaning. */
function zshText(text: string): string {
  return text.replaceAll("'", "'\\''").replace(/[[\]:]/g, "\\$&");
}

function zshOption({ flag, sentence, words, isPath, completes }: CompletedFlag): string {
  if (words === undefined) return `'${flag}[${zshText(sentence)}]'`;
  const values = completes
    ? "_drover_listeners"
    : isPath
      ? "_files"
      : words.length > 0
        ? `(${words.join(" ")})`
        : "";
  return `'${flag}=[${zshText(sentence)}]:value:${values}'`;
}

function zsh(commands: readonly Command[]): string {
  const described = commands.map(({ name, sentence }) => `    '${name}:${zshText(sentence)}'`);
  const arms = commands.map((command) => {
    const { name, words, completes } = command;
    const argument = completes
      ? ["'1:listener:_drover_listeners'"]
      : WITH_PATH.includes(name)
        ? ["'*:file:_files'"]
        : words
          ? [`'1:word:(${words.join(" ")})'`]
          : [];
    const specs = [...argument, ...ownFlags(command).map(zshOption)];
    return `    ${name}) _arguments $options ${specs.join(" ")} ;;`;
  });
  return `#compdef drover
# drover completion for zsh: source <(drover completion zsh)
_drover_listeners() {
  local -a names
  names=(\${(f)"$(${LISTENERS})"})
  compadd -a names
}
_drover() {
  local -a commands options
  commands=(
${described.join("\n")}
  )
  options=(
${commonFlags()
  .map((one) => `    ${zshOption(one)}`)
  .join("\n")}
  )
  local command=\${words[(r)(${commands.map(({ name }) => name).join("|")})]}
  if [[ -z $command || CURRENT -le \${words[(i)$command]} ]]; then
    _arguments $options '1: :->command'
    [[ $state == command ]] && _describe command commands
    return
  fi
  shift words
  (( CURRENT-- ))
  case $command in
${arms.join("\n")}
  esac
}
compdef _drover drover
`;
}

// -- fish -----------------------------------------------------------------------------------------------

function fishText(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}

function fishOption({ flag, sentence, words, isPath, completes }: CompletedFlag, when: string): string {
  const value =
    words === undefined
      ? ""
      : completes
        ? " -x -a '(__drover_listeners)'"
        : isPath
          ? " -r -F"
          : words.length > 0
            ? ` -x -a ${fishText(words.join(" "))}`
            : " -x";
  return `complete -c drover${when} -l ${flag.slice(2)}${value} -d ${fishText(sentence)}`;
}

function fish(commands: readonly Command[]): string {
  const lines = commands.flatMap((command) => {
    const { name, sentence, words, completes } = command;
    const inside = ` -n '__fish_seen_subcommand_from ${name}'`;
    return [
      `complete -c drover -n __fish_use_subcommand -a ${name} -d ${fishText(sentence)}`,
      ...(completes ? [`complete -c drover${inside} -a '(__drover_listeners)'`] : []),
      ...(words ? [`complete -c drover${inside} -a ${fishText(words.join(" "))}`] : []),
      ...(WITH_PATH.includes(name) ? [`complete -c drover${inside} -F`] : []),
      ...ownFlags(command).map((one) => fishOption(one, inside)),
    ];
  });
  return [
    "# drover completion for fish: drover completion fish | source",
    `function __drover_listeners; ${LISTENERS}; end`,
    "complete -c drover -f",
    ...lines,
    ...commonFlags().map((one) => fishOption(one, "")),
    "",
  ].join("\n");
}

import { Argument, type Command } from 'commander';
import { print } from './output.js';

type Shell = 'bash' | 'zsh' | 'fish';

export function addCompletion(program: Command): void {
  program
    .command('completion')
    .summary('completion for your shell')
    .description(
      `Prints a completion script:
  bash   culprit completion bash > ~/.local/share/bash-completion/completions/culprit
  zsh    culprit completion zsh > "\${fpath[1]}/_culprit"
  fish   culprit completion fish > ~/.config/fish/completions/culprit.fish`,
    )
    .addArgument(new Argument('<shell>').choices(['bash', 'zsh', 'fish']))
    .action((shell: Shell) => print(SCRIPTS[shell](program)));
}

interface Known {
  name: string;
  summary: string;
  options: { long: string; says: string }[];
  /** `message`, `mail` and `connection` of `why`. */
  below: Known[];
}

/** The commands and options that there are, so that a script never lags behind them. */
function commandsOf(program: Command): Known[] {
  return program.commands.map((c) => ({
    name: c.name(),
    summary: c.summary(),
    options: [
      ...c.options.map((o) => ({ long: o.long ?? '', says: o.description })),
      { long: '--help', says: 'help' },
    ],
    below: commandsOf(c),
  }));
}

const quote = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
const namesOf = (commands: Known[]) => commands.map((c) => c.name).join(' ');
const longs = (c: Known) => c.options.map((o) => o.long).join(' ');

const SCRIPTS: Record<Shell, (program: Command) => string> = {
  bash: (program) => {
    const commands = commandsOf(program);
    const parents = commands.filter((c) => c.below.length > 0);
    return `# bash completion for culprit
_culprit() {
  local word=\${COMP_WORDS[COMP_CWORD]} command=examine options below=
  case \${COMP_WORDS[1]} in
${commands.map((c) => `    ${c.name}) command=${c.name} ;;`).join('\n')}
  esac
  case $command in
${parents.map((c) => `    ${c.name}) below='${namesOf(c.below)}'; (( COMP_CWORD > 2 )) && command="${c.name} \${COMP_WORDS[2]}" ;;`).join('\n')}
  esac
  case $command in
${commands.map((c) => `    ${c.name}) options='${longs(c)}' ;;`).join('\n')}
${parents.flatMap((c) => c.below.map((b) => `    '${c.name} ${b.name}') options='${longs(b)}' ;;`)).join('\n')}
  esac
  if [[ $word == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
  elif (( COMP_CWORD == 1 )); then
    mapfile -t COMPREPLY < <(compgen -W '${namesOf(commands)}' -- "$word"; compgen -f -- "$word")
  elif (( COMP_CWORD == 2 )) && [[ -n $below ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$below" -- "$word")
  else
    mapfile -t COMPREPLY < <(compgen -f -- "$word")
  fi
}
complete -o filenames -F _culprit culprit
`;
  },
  zsh: (program) => {
    const commands = commandsOf(program);
    const described = (list: Known[]) => list.map((c) => quote(`${c.name}:${c.summary}`)).join(' ');
    const options = (c: Known) =>
      `_arguments ${c.options.map((o) => quote(`${o.long}[${o.says.replace(/[[\]:]/g, ' ')}]`)).join(' ')} '*:file:_files'`;
    const arm = (c: Known): string =>
      c.below.length === 0
        ? `  ${c.name}) ${options(c)} ;;`
        : `  ${c.name})
    if (( CURRENT == 3 )); then
      commands=(${described(c.below)})
      _describe command commands
      return
    fi
    case $words[3] in
${c.below.map((b) => `    ${b.name}) ${options(b)} ;;`).join('\n')}
    esac ;;`;
    return `#compdef culprit
local -a commands
commands=(
${commands.map((c) => `  ${quote(`${c.name}:${c.summary}`)}`).join('\n')}
)
if (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then
  _describe command commands
  _files
  return
fi
case $words[2] in
${commands.map(arm).join('\n')}
  *) _files ;;
esac
`;
  },
  fish: (program) => {
    const commands = commandsOf(program);
    const seen = (names: string) => `__fish_seen_subcommand_from ${names}`;
    const offer = (when: string, c: Known) =>
      `complete -c culprit -n "${when}" -a ${c.name} -d ${quote(c.summary)}`;
    const option = (when: string, o: Known['options'][number]) =>
      `complete -c culprit -n "${when}" -l ${o.long.replace(/^--/, '')} -d ${quote(o.says)}`;
    return `# fish completion for culprit
${commands.map((c) => offer(`not ${seen(namesOf(commands))}`, c)).join('\n')}
${commands.flatMap((c) => (c.below.length > 0 ? [] : c.options.map((o) => option(seen(c.name), o)))).join('\n')}
${commands
  .flatMap((c) =>
    c.below.flatMap((b) => [
      offer(`${seen(c.name)}; and not ${seen(namesOf(c.below))}`, b),
      ...b.options.map((o) => option(`${seen(c.name)}; and ${seen(b.name)}`, o)),
    ]),
  )
  .join('\n')}
`;
  },
};

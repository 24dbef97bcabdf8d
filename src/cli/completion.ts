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

/** The commands and options that there are, so that a script never lags behind them. */
function commandsOf(program: Command) {
  return program.commands.map((c) => ({
    name: c.name(),
    summary: c.summary(),
    options: [
      ...c.options.map((o) => ({ long: o.long ?? '', says: o.description })),
      { long: '--help', says: 'help' },
    ],
  }));
}

const quote = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;

const SCRIPTS: Record<Shell, (program: Command) => string> = {
  bash: (program) => {
    const commands = commandsOf(program);
    return `# bash completion for culprit
_culprit() {
  local word=\${COMP_WORDS[COMP_CWORD]} command=examine options
  case \${COMP_WORDS[1]} in
${commands.map((c) => `    ${c.name}) command=${c.name} ;;`).join('\n')}
  esac
  case $command in
${commands.map((c) => `    ${c.name}) options='${c.options.map((o) => o.long).join(' ')}' ;;`).join('\n')}
  esac
  if [[ $word == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
  elif (( COMP_CWORD == 1 )); then
    mapfile -t COMPREPLY < <(compgen -W '${commands.map((c) => c.name).join(' ')}' -- "$word"; compgen -f -- "$word")
  else
    mapfile -t COMPREPLY < <(compgen -f -- "$word")
  fi
}
complete -o filenames -F _culprit culprit
`;
  },
  zsh: (program) => {
    const commands = commandsOf(program);
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
${commands.map((c) => `  ${c.name}) _arguments ${c.options.map((o) => quote(`${o.long}[${o.says.replace(/[[\]:]/g, ' ')}]`)).join(' ')} '*:file:_files' ;;`).join('\n')}
  *) _files ;;
esac
`;
  },
  fish: (program) => {
    const commands = commandsOf(program);
    const names = commands.map((c) => c.name).join(' ');
    return `# fish completion for culprit
${commands.map((c) => `complete -c culprit -n "not __fish_seen_subcommand_from ${names}" -a ${c.name} -d ${quote(c.summary)}`).join('\n')}
${commands.flatMap((c) => c.options.map((o) => `complete -c culprit -n "__fish_seen_subcommand_from ${c.name}" -l ${o.long.replace(/^--/, '')} -d ${quote(o.says)}`)).join('\n')}
`;
  },
};

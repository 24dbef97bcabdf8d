import { type ConfigFile, linesOf } from './logical-lines.js';
import type { EximConfiguration, EximDriver, EximSetting } from './model.js';

const HEADING = /^(\S{1,100}) (router|transport|authenticator):$/;

/** Whether a text is what `exim -bP`, `-bP transports`, `-bP routers` or `-bP authenticators` prints. */
export function isPrinted(text: string): boolean {
  const lines = text.split('\n', 400).map((line) => line.trimEnd());
  const first = lines.find((line) => line !== '') ?? '';
  if (HEADING.test(first)) return lines.some((line) => /^driver = \w+$/.test(line));
  return (
    /^(?:no_)?accept_8bitmime$/.test(first) && lines.filter((line) => /^[a-z]\w* =/.test(line)).length >= 5
  );
}

/**
 * What Exim prints of its own settings: every option with its value in force, given or default. A boolean stands alone,
 * with `no_` before it when it is off. Retry rules are not among what `-bP` prints (only `-bP config` has them, and
 * that is a configuration file).
 *
 * Source: Exim specification, command line option -bP; readconf_print in src/src/readconf.c. Tried on Exim 4.96.
 */
export function readPrinted(file: ConfigFile): EximConfiguration {
  const out: EximConfiguration = {
    scheme: 'printed',
    files: [file.path],
    main: [],
    macros: [],
    routers: [],
    transports: [],
    authenticators: [],
    retry: [],
    problems: [],
    open: [{ path: file.path, line: 1, says: 'exim -bP prints no retry rules; exim -bP config does' }],
  };
  let into: EximSetting[] = out.main;
  for (const { text, path, line } of linesOf(file)) {
    const trimmed = text.trimEnd();
    const [, name, kind] = HEADING.exec(trimmed) ?? [];
    if (name) {
      const driver: EximDriver = { name, driver: null, options: [], path, line };
      (kind === 'router' ? out.routers : kind === 'transport' ? out.transports : out.authenticators).push(
        driver,
      );
      into = driver.options;
      continue;
    }
    const [, off, option, value] = /^(no_)?([A-Za-z]\w*)(?: = ?(.*)| =)?$/s.exec(trimmed) ?? [];
    if (!option) continue;
    const isBoolean = !trimmed.includes(' =');
    into.push({ name: option, value: isBoolean ? String(!off) : (value ?? ''), path, line });
  }
  for (const driver of [...out.routers, ...out.transports, ...out.authenticators])
    driver.driver = driver.options.find((o) => o.name === 'driver')?.value ?? null;
  return out;
}

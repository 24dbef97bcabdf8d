import { Case, newestCase } from '../store/case.js';

export interface CaseOption {
  case?: string;
}

export const CASE_OPTION = ['--case <file>', 'work on this case instead of the newest one'] as const;

/** Opens the case that a command works on, to be read only, and closes it whatever happens. */
export async function withCase<T>(options: CaseOption, work: (store: Case) => Promise<T>): Promise<T> {
  const store = await Case.open(options.case ?? newestCase(), { readOnly: true });
  try {
    return await work(store);
  } finally {
    store.close();
  }
}

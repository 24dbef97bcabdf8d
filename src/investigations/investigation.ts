import type { CannotTell, Clear, Finding } from '../findings/finding.js';
import type { Verification } from '../findings/verification.js';
import type { Case } from '../store/case.js';

/** A finding with what `verify` needs to measure its harm again: plain data that only its investigation reads. */
export interface Found {
  finding: Finding;
  measure: unknown;
}

export interface Outcome {
  findings: Found[];
  clear: Clear[];
  cannotTell: CannotTell[];
}

/** Answers one question from records. All whose needs are met run. */
export interface Investigation {
  id: string;
  /** The question, as a user would ask it. */
  asks: string;
  /** Null when the case has what it needs, else why it cannot be asked and what to bring. */
  lacks(store: Case): Promise<CannotTell | null>;
  run(store: Case): Promise<Outcome>;
  /** Whether the harm that `measure` describes went away at `split`, wall time of the log. */
  verify(store: Case, found: Found, split: string): Promise<Verification>;
}

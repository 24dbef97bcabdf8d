import type { Amount, Series } from './finding.js';

/** One side of the split: how many days it has, and the measure on a typical one of them. */
export interface Side {
  days: number;
  median: Amount;
  from: string;
  to: string;
}

/** Something in between that moved the measure and is not what was being fixed, or is not known to be. */
export interface Blip {
  from: string;
  to: string;
  amount: Amount;
  explanation: string;
}

/** The answer of `culprit verify`: whether the harm of a finding went away after a moment. Plain data, like Finding. */
export interface Verification {
  /** The id of the finding. */
  finding: string;
  title: string;
  /** What was measured, in words. */
  measure: string;
  /** When the fix was made, as ISO. */
  split: string;
  before: Side;
  after: Side;
  /** After divided by before, of the medians: 0.05 is a twentieth. */
  change: number;
  pValue: number;
  /** The name of the test that gave the p-value. */
  test: string;
  verdict: 'fixed' | 'improved' | 'not-fixed' | 'cannot-tell';
  because: string;
  blips: Blip[];
  series: Series;
}

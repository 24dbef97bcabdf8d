import { bandwidthSpent } from './bandwidth-spent/bandwidth-spent.js';
import type { Investigation } from './investigation.js';
import { mailLate } from './mail-late/mail-late.js';
import { mailStalls } from './mail-stalls/mail-stalls.js';

/** Every question that culprit asks. A new investigation is added here, and nowhere else. */
export const INVESTIGATIONS: Investigation[] = [bandwidthSpent, mailStalls, mailLate];

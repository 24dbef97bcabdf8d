/** A received mail is judged as it was read: nothing of it is kept in a case. */
export type { ReceivedMail, Trace } from '../formats/received-mail/received-mail.js';

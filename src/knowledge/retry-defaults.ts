/**
 * How the mail programs retry when their configuration says nothing, in seconds.
 *
 * Sources: Exim specification, "Main configuration" (retry_interval_max, retry_data_expire); Debian's exim4-base
 *          /etc/default/exim4 (QUEUEINTERVAL). Postfix postconf(5) and qmgr(8): minimal_backoff_time,
 *          maximal_backoff_time, queue_run_delay, maximal_queue_lifetime, bounce_queue_lifetime (values since 2.4).
 */
export const EXIM_RETRY_DEFAULTS = {
  retryIntervalMax_s: 86_400,
  debianQueueInterval_s: 1_800,
};

/** The rule of Exim's own and Debian's default configuration. */
export const EXIM_DEFAULT_RULE = 'F,2h,15m; G,16h,1h,1.5; F,4d,6h';

export const POSTFIX_RETRY_DEFAULTS = {
  minimalBackoff_s: 300,
  maximalBackoff_s: 4_000,
  queueRunDelay_s: 300,
  queueLifetime_s: 432_000,
};

/**
 * Units of time, in seconds. Exim joins several (`1h30m`) and wants a unit (readconf_readtime in src/src/readconf.c);
 * Postfix takes one, with a default that the parameter sets (postconf(5), "Time units").
 */
export const TIME_UNITS: Record<string, number> = { s: 1, m: 60, h: 3_600, d: 86_400, w: 604_800 };

/**
 * What a retry record's error number is called in a retry rule; `more` says which values of the second number narrow
 * it. Positive numbers are Linux's.
 *
 * Source: src/src/macros.h (ERRNO_*), retry_find_config in src/src/retry.c; errno(3).
 */
export const EXIM_RETRY_ERRNO: Record<number, string> = {
  28: 'quota',
  110: 'timeout',
  111: 'refused',
  122: 'quota',
  [-18]: 'lost_connection',
  [-22]: 'quota',
  [-32]: 'lookup',
  [-37]: 'tls_required',
  [-38]: 'tls_required',
  [-42]: 'auth_failed',
  [-44]: 'rcpt_4xx',
  [-45]: 'mail_4xx',
  [-46]: 'data_4xx',
};

/** Flag in the second number of a timeout: it happened while connecting (RTEF_CTOUT in src/src/macros.h). */
export const EXIM_CONNECT_TIMEOUT = 0x100;

/** Since when Exim tries TCP Fast Open with every host of its own accord (hosts_try_fastopen = *). */
export const EXIM_FAST_OPEN_SINCE = {
  version: '4.93',
  source: 'Exim doc/doc-txt/ChangeLog, version 4.93, JH/25',
};

import { DICTIONARIES, type DictionaryName } from '../formats/access-log/columns.js';
import type { FactTable, TextTable } from '../formats/bulk.js';
import { DOCUMENT_TABLES } from '../formats/documents.js';
import { FACT_TABLES, TEXTS } from '../formats/formats.js';
import { CAPTURE_SCHEMA } from './capture-schema.js';
import { MAIL_SCHEMA } from './mail-schema.js';

/**
 * The tables of a case. A star: narrow facts of numbers and dictionary ids, dictionaries of texts, and a readable
 * view over each. What users query is documented in docs/tables.md; a test keeps the two together.
 *
 * Units are in the names or beside them. SQL stays in the portable core.
 */

/** Raised when the tables change shape; a case of another version is made anew from its evidence. */
export const CASE_VERSION = 2;

const factTable = ({ name, columns }: FactTable) => `CREATE TABLE ${name} (
  source_id INTEGER NOT NULL,
  ${columns.map((c) => `${c.name} ${c.type}${c.nullable ? '' : ' NOT NULL'}`).join(',\n  ')});`;

const textTable = (name: TextTable) => `CREATE TABLE ${name}_texts (
  id INTEGER NOT NULL,      -- as in the facts; 0 is absent
  hash_a INTEGER NOT NULL,  -- keyed 64-bit hash of the bytes as logged, in two lanes
  hash_b INTEGER NOT NULL,
  text VARCHAR);
INSERT INTO ${name}_texts VALUES (0, 0, 0, NULL);`;

export const SCHEMA = `
CREATE TABLE case_facts (name VARCHAR PRIMARY KEY, value VARCHAR);

CREATE TABLE sources (
  source_id INTEGER PRIMARY KEY,
  host VARCHAR NOT NULL,
  path VARCHAR NOT NULL,         -- where its content was met last
  stream VARCHAR NOT NULL,       -- the log that its rotated parts belong to
  kind VARCHAR NOT NULL,         -- a bulk format, 'document', 'server-config', 'other'
  format VARCHAR,                -- NULL: not recognised
  choice VARCHAR,                -- how its lines are read, JSON
  vhost VARCHAR,                 -- of lines that name none
  bytes_kind VARCHAR NOT NULL,   -- body, sent, unknown
  stored_bytes BIGINT NOT NULL,
  read_bytes BIGINT NOT NULL,    -- uncompressed, up to the last whole line
  lines BIGINT NOT NULL,
  records BIGINT NOT NULL,
  unread BIGINT NOT NULL,
  pending VARCHAR NOT NULL,      -- no, record, or why unread: a last line without newline, to be read again
  first_at TIMESTAMP,            -- wall time, as logged
  last_at TIMESTAMP,
  error VARCHAR,
  head VARCHAR,                  -- SHA-256 of its first line
  checkpoints VARCHAR NOT NULL,  -- [[offset, SHA-256 of the bytes before it], …]
  complete BOOLEAN NOT NULL,     -- read to its end
  not_modified BIGINT NOT NULL,  -- answers 304, and those of them with bytes: they tell what the bytes are
  bytes_on_304 BIGINT NOT NULL);

-- Every name under which content was met, with what tells whether it changed.
CREATE TABLE appearances (
  path VARCHAR PRIMARY KEY,
  source_id INTEGER,             -- NULL: could not be read
  stored_bytes BIGINT NOT NULL,
  mtime_ms DOUBLE,
  inode DOUBLE,
  same_as VARCHAR,               -- the name under which it had been read before
  error VARCHAR,
  named BOOLEAN NOT NULL);

CREATE TABLE unread_lines (source_id INTEGER NOT NULL, line BIGINT NOT NULL, reason VARCHAR NOT NULL, excerpt VARCHAR NOT NULL);
CREATE TABLE unread_counts (source_id INTEGER NOT NULL, reason VARCHAR NOT NULL, lines BIGINT NOT NULL);

${FACT_TABLES.map(factTable).join('\n')}

${Object.entries(DOCUMENT_TABLES)
  .map(([name, columns]) => `CREATE TABLE ${name} (source_id INTEGER NOT NULL, ${columns});`)
  .join('\n')}

${TEXTS.map(textTable).join('\n')}

-- What examining found, in the order shown; the finding as in the JSON contract, and what verify measures.
CREATE TABLE findings (n INTEGER NOT NULL, id VARCHAR NOT NULL, finding VARCHAR NOT NULL, measure VARCHAR NOT NULL);

CREATE VIEW requests AS
SELECT s.host, f.source_id, s.path AS source, f.line,
       f.requested_at,
       f.requested_at + to_minutes(f.zone_min) AS local_at,
       ${DICTIONARIES.map((name) => `${name}_texts.text AS ${viewName(name)}`).join(',\n       ')},
       f.status, f.bytes, s.bytes_kind, f.duration_us
FROM request_facts f
JOIN sources s USING (source_id)
${DICTIONARIES.map((name) => `JOIN ${name}_texts ON ${name}_texts.id = f.${name}_id`).join('\n')};

CREATE VIEW unread AS
SELECT s.host, s.path AS source, u.source_id, u.line, u.reason, u.excerpt
FROM unread_lines u JOIN sources s USING (source_id);
${MAIL_SCHEMA}${CAPTURE_SCHEMA}`;

/** Column name in the view: `user` is a reserved word. */
function viewName(name: DictionaryName): string {
  return name === 'user' ? 'user_name' : name;
}

/**
 * A peer: DuckDB's own CSV reader, told that a combined log is a table parted by spaces.
 *
 *     node duckdb-read.js DATABASE FILE…      prints the number of rows in the table
 *
 * It materialises the same columns in a database on disk. It leaves out lines that do not fit, and says nothing.
 */
import { DuckDBInstance } from '@duckdb/node-api';

const [database = '', ...files] = process.argv.slice(2);
const instance = await DuckDBInstance.create(database);
const connection = await instance.connect();
const list = files.map((file) => `'${file.replaceAll("'", "''")}'`).join(', ');
await connection.run(`
  CREATE TABLE requests AS
  SELECT client, ident, account, strptime(substr(day, 2), '%d/%b/%Y:%H:%M:%S') AS requested_at,
         request, status, TRY_CAST(sent AS BIGINT) AS sent_bytes, referrer, agent
  FROM read_csv([${list}], header = false, auto_detect = false, delim = ' ', quote = '"', escape = '\\',
    ignore_errors = true, columns = {
      client: 'VARCHAR', ident: 'VARCHAR', account: 'VARCHAR', day: 'VARCHAR', zone: 'VARCHAR',
      request: 'VARCHAR', status: 'SMALLINT', sent: 'VARCHAR', referrer: 'VARCHAR', agent: 'VARCHAR' })`);
const [row] = (await connection.runAndReadAll('SELECT count(*)::INTEGER FROM requests')).getRows();
console.log(String(row?.[0]));
connection.closeSync();
instance.closeSync();

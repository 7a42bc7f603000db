/** Where a PostgreSQL server listens, in the shape that `pg` takes. `host` may be a socket directory. */
export interface PostgresAddress {
  host: string;
  port: number;
  user: string;
  password?: string;
  database: string;
}

export const DATABASE = 'keks';
export const SUPERUSER = 'keks';
/** This is only the number in the name of the socket file: no network port is opened. */
export const SOCKET_PORT = 5432;
export const SOCKET_NAME = `.s.PGSQL.${SOCKET_PORT}`;

/** A `postgresql://` URL for psql, `pg` and WHATWG `URL`. A socket directory goes into `?host=`. */
export function connectionUrl(address: PostgresAddress): string {
  const database = encodeURIComponent(address.database);
  const user = encodeURIComponent(address.user);
  if (address.host.startsWith('/')) {
    const host = encodeURIComponent(address.host);
    return `postgresql:///${database}?host=${host}&port=${address.port}&user=${user}`;
  }
  const secret = address.password === undefined ? '' : `:${encodeURIComponent(address.password)}`;
  return `postgresql://${user}${secret}@${address.host}:${address.port}/${database}`;
}

import type { Ask } from '../harness/bench.js';
import type { Row } from '../harness/row.js';
import { besideOthers } from './beside.js';

export const refresh: Row = {
  name: 'refresh',
  number: 13,
  what: 'a refresh, with the token of the answer before: microseconds of CPU of the server and of PostgreSQL',
  reach: '400 + 400',
  aim: '200 + 200',
  async run(bench) {
    const database = await bench.database();
    return besideOthers(bench, database, {
      ours: ({ port }, at) => refreshes(port, `${database.tokensFile}.refresh-${at + 1}`),
    });
  },
};

export function refreshes(port: number, valuesFile: string): Ask {
  return {
    port,
    method: 'POST',
    path: '/oauth/token',
    headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    body: 'grant_type=refresh_token&refresh_token={}',
    valuesFile,
    follow: 'refresh_token',
    expect: 200,
  };
}

import { generate } from 'selfsigned';

/** A certificate of its own for 127.0.0.1, PEM. */
export async function selfSigned(keyType: 'ec' | 'rsa' = 'ec'): Promise<{ cert: Buffer; key: Buffer }> {
  const pems = await generate([{ name: 'commonName', value: 'localhost' }], {
    keyType,
    extensions: [
      { name: 'basicConstraints', cA: true },
      {
        name: 'subjectAltName',
        altNames: [
          { type: 2, value: 'localhost' },
          { type: 7, ip: '127.0.0.1' },
        ],
      },
    ],
  });
  return { cert: Buffer.from(pems.cert), key: Buffer.from(pems.private) };
}

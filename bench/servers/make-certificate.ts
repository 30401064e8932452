// Writes a certificate for 127.0.0.1 and its key into the directory given: certificate.pem, key.pem.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generate } from 'selfsigned';

const [, , directory = '.'] = process.argv;
const { cert, private: key } = await generate([{ name: 'commonName', value: 'localhost' }], {
  keyType: 'ec',
  curve: 'P-256',
  algorithm: 'sha256',
});
writeFileSync(join(directory, 'certificate.pem'), cert);
writeFileSync(join(directory, 'key.pem'), key, { mode: 0o600 });

// The negotiation of permessage-deflate (RFC 7692 §5, §7.1).
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseExtensionOffers } from '../../../src/protocol/websocket/extension-offers.ts';
import { type DeflatePolicy, negotiateDeflate } from '../../../src/protocol/websocket/permessage-deflate.ts';

/** Wants nothing. */
const LARGEST: DeflatePolicy = {
  serverNoContextTakeover: false,
  clientNoContextTakeover: false,
  serverMaxWindowBits: 15,
  clientMaxWindowBits: 15,
};
const SMALL: DeflatePolicy = {
  serverNoContextTakeover: true,
  clientNoContextTakeover: true,
  serverMaxWindowBits: 10,
  clientMaxWindowBits: 9,
};

/** The response to offers, or null, and the parameters: takeovers of server and client, bits of server and client. */
function negotiate(offers: string, policy = LARGEST): [string, boolean, boolean, number, number] | null {
  const agreed = negotiateDeflate(parseExtensionOffers(offers) ?? assert.fail('malformed'), policy);
  if (agreed === null) return null;
  const { serverNoContextTakeover, clientNoContextTakeover, serverMaxWindowBits, clientMaxWindowBits } =
    agreed.parameters;
  return [
    agreed.response,
    serverNoContextTakeover,
    clientNoContextTakeover,
    serverMaxWindowBits,
    clientMaxWindowBits,
  ];
}

const PMD = 'permessage-deflate';

describe('an offer is answered (RFC 7692 §5.1, §7.1, §7.1.1.1, §7.1.1.2, §7.1.2.1, §7.1.2.2)', () => {
  const cases: [offer: string, policy: DeflatePolicy, answer: ReturnType<typeof negotiate>][] = [
    [PMD, LARGEST, [PMD, false, false, 15, 15]],
    [
      `${PMD}; server_no_context_takeover`,
      LARGEST,
      [`${PMD}; server_no_context_takeover`, true, false, 15, 15],
    ],
    [
      `${PMD}; client_no_context_takeover`,
      LARGEST,
      [`${PMD}; client_no_context_takeover`, false, true, 15, 15],
    ],
    // What was asked for is confirmed, also where it says nothing.
    [
      `${PMD}; server_max_window_bits=15`,
      LARGEST,
      [`${PMD}; server_max_window_bits=15`, false, false, 15, 15],
    ],
    [`${PMD}; server_max_window_bits=9`, LARGEST, [`${PMD}; server_max_window_bits=9`, false, false, 9, 15]],
    [
      `${PMD}; server_max_window_bits=9`,
      SMALL,
      [
        `${PMD}; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=9`,
        true,
        true,
        9,
        15,
      ],
    ],
    [
      `${PMD}; server_max_window_bits="11"`,
      LARGEST,
      [`${PMD}; server_max_window_bits=11`, false, false, 11, 15],
    ],
    [`${PMD}; client_max_window_bits`, LARGEST, [PMD, false, false, 15, 15]],
    [`${PMD}; client_max_window_bits=8`, LARGEST, [`${PMD}; client_max_window_bits=8`, false, false, 15, 8]],
    [
      `${PMD}; client_max_window_bits`,
      SMALL,
      [
        `${PMD}; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=10; client_max_window_bits=9`,
        true,
        true,
        10,
        9,
      ],
    ],
    // What was not offered must not be in the answer (§7.1.2.2).
    [
      PMD,
      SMALL,
      [
        `${PMD}; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=10`,
        true,
        true,
        10,
        15,
      ],
    ],
    // Other extensions are not known, and the first offer that can be accepted is (§5.1).
    [`x-other; a=b, ${PMD}`, LARGEST, [PMD, false, false, 15, 15]],
    [
      `${PMD}; unknown, ${PMD}; client_no_context_takeover, ${PMD}`,
      LARGEST,
      [`${PMD}; client_no_context_takeover`, false, true, 15, 15],
    ],
  ];
  for (const [offer, policy, answer] of cases) {
    test(`${offer} ${policy === SMALL ? 'by one that wants small windows' : ''}`, () => {
      assert.deepEqual(negotiate(offer, policy), answer);
    });
  }
});

describe('an offer is declined (RFC 7692 §7.1)', () => {
  const declined = [
    '',
    'x-webkit-deflate-frame',
    `${PMD}; unknown`,
    `${PMD}; unknown=1`,
    `${PMD}; server_no_context_takeover=1`,
    `${PMD}; client_no_context_takeover=true`,
    `${PMD}; server_max_window_bits`,
    // zlib has no raw window of 8 bits to compress with.
    `${PMD}; server_max_window_bits=8`,
    ...['7', '16', '08', '010', '1e1', 'x', '-9'].flatMap((bits) => [
      `${PMD}; server_max_window_bits=${bits}`,
      `${PMD}; client_max_window_bits=${bits}`,
    ]),
    `${PMD}; server_no_context_takeover; server_no_context_takeover`,
    `${PMD}; client_max_window_bits; client_max_window_bits=10`,
  ];
  for (const offer of declined) test(offer, () => assert.equal(negotiate(offer), null));
});

test('a policy with windows that cannot be is our own mistake', () => {
  const bad: Partial<DeflatePolicy>[] = [
    { serverMaxWindowBits: 8 },
    { serverMaxWindowBits: 16 },
    { serverMaxWindowBits: 9.5 },
    { clientMaxWindowBits: 7 },
    { clientMaxWindowBits: 16 },
  ];
  for (const policy of bad) assert.throws(() => negotiate(PMD, { ...LARGEST, ...policy }), RangeError);
});

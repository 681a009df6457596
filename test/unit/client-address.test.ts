import { describe, expect, it } from 'vitest';
import { networkOf } from '../../api/client-address.js';

describe('the network of a client', () => {
  it.each([
    [
      '192.0.2.7',
      ['192.0.2.7', '192.0.2.7:4711', '::ffff:192.0.2.7', '[::ffff:192.0.2.7]:4711', '::FFFF:C000:207'],
    ],
    [
      '2001:db8:1:2::/64',
      [
        '2001:db8:1:2::1',
        '2001:DB8:1:2:ffff:ffff:ffff:ffff',
        '[2001:db8:1:2::1]',
        '[2001:db8:1:2:a::9]:4711',
        '2001:0db8:0001:0002::1%eth0',
      ],
    ],
    ['0:0:0:0::/64', ['::1', '[::1]:80', '::']],
    ['unknown', ['unknown']],
    ['', ['']],
    ['[half', ['[half']],
  ])('is %s however it is written', (network, addresses) => {
    for (const address of addresses) expect([address, networkOf(address)]).toEqual([address, network]);
  });

  it('is another for a neighbour', () => {
    const clients = ['192.0.2.7', '192.0.2.8', '2001:db8:1:2::1', '2001:db8:1:3::1', '::ffff:0:192.0.2.7'];
    expect(new Set(clients.map(networkOf)).size).toBe(clients.length);
  });
});

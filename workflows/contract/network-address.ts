/** What addresses are: their parts, and which lie on the public Internet by the IANA special-purpose registries. */

/** https://www.iana.org/assignments/iana-ipv4-special-registry, multicast and what is reserved. */
const specialV4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
].map((block) => {
  const [base = '', bits = ''] = block.split('/');
  return { base: toNumber(base) ?? 0, bits: Number(bits) };
});

/**
 * True for an IPv4 or IPv6 address, as the resolver or `URL` writes it, that anybody may reach: no loopback,
 * private, link-local, shared, documentation or multicast range, and no IPv6 form that carries an IPv4 one.
 * False also for what is no address.
 */
export function isPublicAddress(address: string): boolean {
  const v4 = toNumber(address);
  if (v4 !== undefined) {
    return !specialV4.some(({ base, bits }) => v4 >>> (32 - bits) === base >>> (32 - bits));
  }
  const groups = toGroups(address);
  return groups !== undefined && isPublicV6(groups);
}

/** Global unicast is 2000::/3; within it https://www.iana.org/assignments/iana-ipv6-special-registry. */
function isPublicV6([first = 0, second = 0]: readonly number[]): boolean {
  if (first < 0x2000 || first > 0x3fff) return false;
  if (first === 0x2001) return second >= 0x200 && second !== 0xdb8;
  if (first === 0x2002) return false;
  return first !== 0x3fff || second >= 0x1000;
}

function toNumber(address: string): number | undefined {
  const octets = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(address)?.slice(1).map(Number);
  if (octets === undefined || octets.some((octet) => octet > 255)) return undefined;
  return octets.reduce((sum, octet) => sum * 256 + octet, 0);
}

/** The eight groups of an IPv6 address; undefined for what is none, or has a zone. */
export function toGroups(address: string): number[] | undefined {
  const halves = address.replace(/^\[|\]$/g, '').split('::');
  if (halves.length > 2) return undefined;
  const [head = [], tail = []] = halves.map((half) => (half === '' ? [] : half.split(':').flatMap(toWords)));
  const missing = 8 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined;
  const groups = [...head, ...Array<number>(missing).fill(0), ...tail];
  return groups.some(Number.isNaN) ? undefined : groups;
}

/** A group, or the two that an IPv4 address at the end stands for. */
function toWords(group: string): number[] {
  const v4 = toNumber(group);
  if (v4 !== undefined) return [v4 >>> 16, v4 & 0xffff];
  return [/^[0-9a-f]{1,4}$/i.test(group) ? Number.parseInt(group, 16) : NaN];
}

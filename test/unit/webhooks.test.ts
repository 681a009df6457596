import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AddressRefusedError, postOnce, type PostOnceRequest } from '../../activities/delivery/post-once.js';
import { webhookHeaders } from '../../activities/delivery/sign-webhook.js';
import { isPublicAddress } from '../../workflows/contract/network-address.js';
import { callbackProblem } from '../../workflows/contract/webhooks.js';
import {
  startWebhookReceiver,
  verifyWebhook,
  type WebhookReceiver,
} from '../support/wire/webhook-receiver.js';

const notPublic = [
  '0.0.0.0',
  '10.1.2.3',
  '100.64.0.1',
  '100.127.255.255',
  '127.0.0.1',
  '127.255.255.254',
  '169.254.169.254',
  '172.16.0.1',
  '172.31.255.255',
  '192.0.0.8',
  '192.168.1.1',
  '198.19.255.255',
  '203.0.113.7',
  '224.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '::ffff:127.0.0.1',
  '::ffff:8.8.8.8',
  '::7f00:1',
  '64:ff9b::a9fe:a9fe',
  '64:ff9b:1::1',
  '100::1',
  'fc00::1',
  'fd12:3456:789a::1',
  'fe80::1',
  'fe80::1%eth0',
  'fec0::1',
  'ff02::1',
  '2001::1',
  '2001:db8::1',
  '2002:7f00:1::',
  '3fff::1',
  'localhost',
  '',
  '1.2.3',
  '1.2.3.256',
  ':::',
  '1::2::3',
  '2606:4700:4700::1111:1:2:3:4:5',
];

describe('an address', () => {
  it.each(notPublic)('%s is not on the public Internet', (address) => {
    expect(isPublicAddress(address)).toBe(false);
  });

  it.each([
    '1.1.1.1',
    '8.8.8.8',
    '100.63.255.255',
    '100.128.0.0',
    '172.15.255.255',
    '172.32.0.0',
    '192.0.1.1',
    '198.17.255.255',
    '223.255.255.255',
    '2606:4700:4700::1111',
    '2a00:1450:4001:80b::200e',
    '2001:4860:4860::8888',
    '2001:4860:4860:0:0:0:0:8888',
  ])('%s is', (address) => {
    expect(isPublicAddress(address)).toBe(true);
  });
});

const refused = [
  'http://example.com/hook',
  'ftp://example.com/hook',
  'javascript:alert(1)',
  'no address',
  'https://user:word@example.com/',
  'https://example.com/#part',
  'https://127.0.0.1/',
  'https://127.1/',
  'https://0x7f.1/',
  'https://0x7f000001/',
  'https://2130706433/',
  'https://017700000001/',
  'https://0/',
  'https://169.254.169.254/latest/meta-data/',
  'https://[::1]/',
  'https://[::ffff:127.0.0.1]/',
  'https://[::ffff:7f00:1]/',
  'https://[fd00::1]/',
  'https://[fe80::1]/',
  'https://localhost/',
  'https://localhost./',
  'https://LOCALHOST/',
  'https://ⓛocalhost/',
  'https://hooks.localhost/',
  'https://metadata.google.internal/',
  'https://printer.local/',
  'https://router/',
];

describe('a callback address', () => {
  it.each(refused)('%s is refused', (address) => {
    expect(callbackProblem(address, false)).toMatch(/^must /);
  });

  it.each(['https://example.com/hook?token=1', 'https://hooks.example.com:8443/', 'https://8.8.8.8/'])(
    '%s is taken',
    (address) => {
      expect(callbackProblem(address, false)).toBeUndefined();
    },
  );

  it('may lead inside only where that is wished', () => {
    expect(callbackProblem('http://127.0.0.1:9/', true)).toBeUndefined();
    expect(callbackProblem('ftp://127.0.0.1:9/', true)).toBeDefined();
  });
});

describe('a signature', () => {
  /** The vector that the libraries of the specification test themselves with. */
  const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
  const message = {
    id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    timestampSeconds: 1614265330,
    body: '{"test": 2432232314}',
  };

  it('is that of the specification', () => {
    expect(webhookHeaders(message, [secret])).toEqual({
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    });
  });

  it('comes once for each secret during a rotation, and fits no other message', () => {
    const other = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
    const headers = webhookHeaders(message, [other, secret]);
    const received = { method: 'POST', path: '/', headers, body: message.body, atSeconds: 1614265331 };
    for (const known of [secret, other]) expect(verifyWebhook(received, known).id).toBe(message.id);
    const wrong = (changes: Partial<typeof received>) => () =>
      verifyWebhook({ ...received, ...changes }, secret);
    expect(wrong({ body: '{"test": 2432232315}' })).toThrow('no signature fits');
    expect(wrong({ headers: { ...headers, 'webhook-id': 'msg_other' } })).toThrow('no signature fits');
    expect(wrong({ atSeconds: 1614266000 })).toThrow('too old');
  });
});

describe('one POST', () => {
  let receiver: WebhookReceiver;
  beforeEach(async () => {
    receiver = await startWebhookReceiver();
  });
  afterEach(() => receiver.close());

  const send = (url: string, changes: Partial<PostOnceRequest> = {}) =>
    postOnce({
      url: new URL(url),
      headers: { 'content-type': 'application/json' },
      body: '{"ü":1}',
      allowPrivate: true,
      timeoutMs: 1_000,
      ...changes,
    });
  const port = () => new URL(receiver.url).port;

  it('brings the body whole, under the name that it was sent to', async () => {
    let asked = 0;
    const resolve = () => {
      asked += 1;
      return Promise.resolve([{ address: '127.0.0.1' }]);
    };
    const answer = await send(`http://hooks.example.com:${port()}/in?a=b`, { resolve });
    expect(answer.status).toBe(204);
    expect(asked).toBe(1);
    const [message] = receiver.received;
    expect(message).toMatchObject({ method: 'POST', path: '/in?a=b', body: '{"ü":1}' });
    expect(message?.headers.host).toBe(`hooks.example.com:${port()}`);
  });

  it('makes no connection to where it may not go, however that is spelt', async () => {
    const spellings = [
      '127.0.0.1',
      '127.1',
      '0x7f.1',
      '0x7f000001',
      '2130706433',
      '[::ffff:127.0.0.1]',
      'localhost',
    ];
    for (const host of spellings) {
      await expect(send(`http://${host}:${port()}/`, { allowPrivate: false })).rejects.toBeInstanceOf(
        AddressRefusedError,
      );
    }
    for (const addresses of [['127.0.0.1'], ['8.8.8.8', '127.0.0.1'], ['::1'], ['169.254.169.254']]) {
      const resolve = () => Promise.resolve(addresses.map((address) => ({ address })));
      await expect(
        send(`http://rebind.example.com:${port()}/`, { allowPrivate: false, resolve }),
      ).rejects.toBeInstanceOf(AddressRefusedError);
    }
    expect(receiver.connections()).toBe(0);
  });

  it('follows no redirect', async () => {
    const inside = await startWebhookReceiver();
    for (const status of [301, 302, 303, 307, 308]) {
      receiver.turns.push({ status, headers: { location: `${inside.url}/secret` } });
      expect((await send(receiver.url)).status).toBe(status);
    }
    expect(inside.connections()).toBe(0);
    await inside.close();
  });

  it('waits for no answer longer than it may, and for no end of one', async () => {
    receiver.turns.push({ stall: true });
    await expect(send(receiver.url, { timeoutMs: 300 })).rejects.toThrow(/abort|timeout/i);
    receiver.turns.push({ cut: true });
    await expect(send(receiver.url)).rejects.toThrow();
    receiver.turns.push({ endless: true });
    const from = Date.now();
    expect((await send(receiver.url)).status).toBe(200);
    expect(Date.now() - from).toBeLessThan(1_000);
    const never = () => new Promise<never>(() => undefined);
    await expect(send('http://slow.example.com/', { resolve: never, timeoutMs: 100 })).rejects.toThrow();
  });

  it('uses no proxy of the environment', async () => {
    const proxy = await startWebhookReceiver();
    const names = ['HTTP_PROXY', 'http_proxy', 'ALL_PROXY', 'NODE_USE_ENV_PROXY'];
    const before = names.map((name) => process.env[name]);
    for (const name of names) process.env[name] = name === 'NODE_USE_ENV_PROXY' ? '1' : proxy.url;
    try {
      expect((await send(receiver.url)).status).toBe(204);
      expect(proxy.connections()).toBe(0);
    } finally {
      for (const [index, name] of names.entries()) {
        const value = before[index];
        // eslint-disable-next-line @typescript-eslint/no-dynamic-delete -- back to how it was
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
      }
      await proxy.close();
    }
  });

  it('asks for the certificate of the name, and sends nothing where there is none', async () => {
    const heard: Buffer[] = [];
    const plain = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', (chunk) => {
        heard.push(chunk);
        socket.end('HTTP/1.1 200 OK\r\n\r\n');
      });
    });
    plain.listen(0, '127.0.0.1');
    await once(plain, 'listening');
    const address = plain.address();
    const tlsPort = typeof address === 'object' && address !== null ? address.port : 0;
    const resolve = () => Promise.resolve([{ address: '127.0.0.1' }]);
    await expect(send(`https://hooks.example.com:${tlsPort}/in`, { resolve })).rejects.toThrow();
    // The hello of a TLS client carries the name in clear (RFC 6066).
    const hello = Buffer.concat(heard).toString('latin1');
    expect(hello).toContain('hooks.example.com');
    expect(hello).not.toContain('POST');
    plain.close();
  });
});

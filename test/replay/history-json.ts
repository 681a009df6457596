import proto from '@temporalio/proto';

const { History } = proto.temporal.api.history.v1;
type History = proto.temporal.api.history.v1.IHistory;

/** A history as readable JSON that {@link readHistory} takes back, without what tells of the host it ran on. */
export function writeHistory(history: History): string {
  const plain = History.toObject(History.create(history), { enums: String, longs: String, bytes: String });
  return `${JSON.stringify(anonymous(plain), null, 1)}\n`;
}

export function readHistory(json: string): History {
  const plain = JSON.parse(json) as Record<string, unknown>;
  return History.fromObject(plain);
}

function anonymous(value: unknown, key = ''): unknown {
  if (key === 'identity') return 'worker';
  if (key === 'stackTrace') return '';
  if (Array.isArray(value)) return value.map((member) => anonymous(member));
  if (typeof value !== 'object' || value === null) return value;
  const isSticky = 'kind' in value && value.kind === 'TASK_QUEUE_KIND_STICKY';
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      isSticky && name === 'name' ? 'sticky' : anonymous(member, name),
    ]),
  );
}

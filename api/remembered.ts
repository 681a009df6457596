/** Does `work` once for all who ask at the same time or within `forMs` after its start; a failure is not kept. */
export function remembered<T>(forMs: number, work: () => Promise<T>): () => Promise<T> {
  let known: { until: number; value: Promise<T> } | undefined;
  return () => {
    if (known === undefined || Date.now() >= known.until) {
      const reading = { until: Date.now() + forMs, value: work() };
      reading.value.catch(() => {
        if (known === reading) known = undefined;
      });
      known = reading;
    }
    return known.value;
  };
}

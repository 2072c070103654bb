/** A viewer of the inspector: the official receiver, with what it has been told at hand to be awaited. */
import { createWebSocketReceiver, type StatelyInspectionEvent } from '@statelyai/inspect';

export type Watching = {
  readonly messages: readonly StatelyInspectionEvent[];
  /** Resolves with the first message, past or to come, that fits; rejects after 5 s. */
  message(fits: (message: StatelyInspectionEvent) => boolean): Promise<StatelyInspectionEvent>;
};

/** Watches with the official receiver, which has no way to end: it goes when the gateway does. */
export function watchOfficially(server: string): Watching {
  const messages: StatelyInspectionEvent[] = [];
  const waiting = new Set<() => void>();
  createWebSocketReceiver({ server }).subscribe((message) => {
    messages.push(message);
    for (const look of [...waiting]) look();
  });
  return {
    messages,
    message: (fits) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          waiting.delete(look);
          reject(
            new Error(`no such message within 5 s; the last were ${JSON.stringify(messages.slice(-3))}`),
          );
        }, 5_000);
        const look = () => {
          const found = messages.find(fits);
          if (found === undefined) return;
          clearTimeout(timer);
          waiting.delete(look);
          resolve(found);
        };
        waiting.add(look);
        look();
      }),
  };
}

/** Where viewers of this gateway connect. */
export function inspectorUrl({ gateway }: { readonly gateway: { readonly adminPort: number } }): string {
  return `ws://127.0.0.1:${gateway.adminPort}/inspector/ws`;
}
